//! Live pages: what is told, when it is told, and when the stream ends.

use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody as _};
use dokuei_models::Actor;
use dokuei_server::app::{accounts, sessions};
use dokuei_server::authority::Person;
use dokuei_server::clock::Clock as _;
use dokuei_server::http::live;
use dokuei_server::wake::Topic;

use super::app::TestApp;

async fn person(app: &TestApp) -> Person {
    let client = app.with_user("listener", &[]).await;
    let token = client.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    sessions::person_of_session(&app.state, &token, "").await.unwrap().unwrap()
}

/// The next piece of a stream; `None` where it ended.
async fn next(body: &mut BoxBody) -> Option<String> {
    let piece = std::future::poll_fn(|context| Pin::new(&mut *body).poll_next(context));
    let piece = tokio::time::timeout(Duration::from_secs(5), piece).await.expect("something within five seconds");
    piece.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap())
}

#[actix_web::test]
async fn a_page_hears_its_own_topics_at_once_and_no_others() {
    let app = TestApp::init().await;
    let mut body = live::events(&app.state, &person(&app).await, vec![Topic::Worklist(7)]).into_body();
    assert!(next(&mut body).await.unwrap().starts_with("retry:"));
    app.state.wake.tell(Topic::Worklist(8));
    app.state.wake.tell(Topic::Worklist(7));
    app.state.wake.tell(Topic::Worklist(7));
    assert_eq!(next(&mut body).await.unwrap(), "event: change\ndata: worklist:7\n\n", "two changes at once are one");
}

#[actix_web::test]
async fn a_stream_ends_when_the_process_stops() {
    let app = TestApp::init().await;
    let mut body = live::events(&app.state, &person(&app).await, vec![Topic::Jobs]).into_body();
    next(&mut body).await;
    app.stop.send_replace(true);
    assert_eq!(next(&mut body).await, None);
}

#[actix_web::test]
async fn a_stream_tells_that_its_session_ended() {
    let app = TestApp::init().await;
    let person = person(&app).await;
    let mut body = live::events(&app.state, &person, vec![Topic::Jobs]).into_body();
    next(&mut body).await;
    accounts::set_active(&app.state, "listener", false, Actor::system("test", app.clock.stamp())).await.unwrap();
    let piece = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context));
    let piece = tokio::time::timeout(Duration::from_secs(20), piece).await.expect("with the next breath").unwrap();
    assert_eq!(&piece.unwrap()[..], b"event: ended\ndata: session\n\n");
    assert_eq!(next(&mut body).await, None);
}
