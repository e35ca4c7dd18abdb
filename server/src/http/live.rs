//! Live pages: server-sent events that say *that* something changed; the page then fetches what.
//!
//! A handler checks authority and names topics; the stream sends `event: change`
//! with the topic as data, a comment every 15 s so that proxies keep it open, and
//! ends when the session does or the process stops. The browser's `EventSource`
//! connects again by itself (`templates/assets/live.js`).

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream;

use crate::app::sessions;
use crate::authority::Person;
use crate::state::State;
use crate::wake::{Ear, Topic};

const BREATH: Duration = Duration::from_secs(15);
/// Changes that come closer together than this are told as one.
const GATHER: Duration = Duration::from_millis(60);

struct Stream {
    ear: Ear,
    topics: Vec<Topic>,
    state: State,
    person: Person,
    greeted: bool,
    over: bool,
}

impl Stream {
    /// Whether the session is known to be over. A failed look is not the end: the next breath looks again.
    async fn session_ended(&self) -> bool {
        match self.person.session() {
            Some(session) => matches!(sessions::session_still_there(&self.state, session).await, Ok(false)),
            None => false,
        }
    }
}

/// An answer that stays open and tells of `topics`.
pub fn events(state: &State, person: &Person, topics: Vec<Topic>) -> HttpResponse {
    let stream = Stream {
        ear: state.wake.listen(),
        topics,
        state: state.clone(),
        person: person.clone(),
        greeted: false,
        over: false,
    };
    HttpResponse::Ok()
        .content_type("text/event-stream; charset=utf-8")
        // Compression would keep events back until its buffer is full.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(stream, next))
}

async fn next(mut stream: Stream) -> Option<(Result<Bytes, actix_web::Error>, Stream)> {
    if stream.over {
        return None;
    }
    if !stream.greeted {
        stream.greeted = true;
        return Some((Ok(Bytes::from_static(b"retry: 1000\n: connected\n\n")), stream));
    }
    let heard = tokio::select! {
        heard = stream.ear.next_of(&stream.topics) => Some(heard?),
        () = tokio::time::sleep(BREATH) => None,
        () = stream.state.stopped() => return None,
    };
    let text = match heard {
        Some(topic) => {
            tokio::time::sleep(GATHER).await;
            let mut changed = stream.ear.waiting_of(&stream.topics);
            if !changed.contains(&topic) {
                changed.push(topic);
            }
            changed.iter().map(|topic| format!("event: change\ndata: {topic}\n\n")).collect()
        }
        None if stream.session_ended().await => {
            stream.over = true;
            "event: ended\ndata: session\n\n".to_owned()
        }
        None => ": breath\n\n".to_owned(),
    };
    Some((Ok(Bytes::from(text)), stream))
}
