//! `/healthz`: the process answers. `/readyz`: database and objects answer too. `/metrics`: Prometheus.

use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::json;

use super::{Answer, Routes};
use crate::authority::{Anyone, Monitor};
use crate::state::State;

/// Registers the three.
pub fn routes(routes: &mut Routes) {
    routes.get("/healthz", healthz);
    routes.get("/readyz", readyz);
    routes.get("/metrics", metrics);
}

async fn healthz(_: Anyone) -> Answer {
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}

/// Asks both stores, each for at most two seconds. Says which one fails, never why: that is in the log.
async fn readyz(_: Anyone, state: State) -> Answer {
    let limit = Duration::from_secs(2);
    let database = async {
        let asked = state.db.read(dokuei_models::store::users::user_count);
        matches!(tokio::time::timeout(limit, asked).await, Ok(Ok(_)))
    };
    let objects = async { matches!(tokio::time::timeout(limit, state.objects.probe()).await, Ok(Ok(()))) };
    let (database, objects) = tokio::join!(database, objects);
    let word = |ok: bool| if ok { "ok" } else { "failed" };
    let ready = database && objects;
    if !ready {
        tracing::warn!(database, objects, "not ready");
    }
    let mut answer = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    Ok(answer.json(json!({ "status": word(ready), "database": word(database), "objects": word(objects) })))
}

async fn metrics(_: Monitor, state: State) -> Answer {
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(state.metrics.render()))
}
