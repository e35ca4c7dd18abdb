//! How one part tells another that something changed.
//!
//! A *topic* names what to look at again (`jobs`, `board:3`), never what it
//! holds: no patient data travels here. Whoever listens reads the database.
//! A signal may be lost or come twice; everything that waits for one also looks
//! by itself now and then, so that losing Redis costs latency, never a case.

mod redis;

use std::fmt;
use std::str::FromStr;

use tokio::sync::{broadcast, mpsc, watch};

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A job is there to be done.
    Jobs,
    /// The pool needs a new plan.
    Plan(i64),
    /// The board of the pool changed.
    Board(i64),
    /// The list of the reader changed.
    Worklist(i64),
    /// The case changed.
    Case(i64),
    /// Something that this site sees in its portal changed.
    Portal(i64),
    /// A delivery changed.
    Deliveries,
    /// Listeners missed signals: look at everything again.
    Everything,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jobs => f.write_str("jobs"),
            Self::Plan(pool) => write!(f, "plan:{pool}"),
            Self::Board(pool) => write!(f, "board:{pool}"),
            Self::Worklist(reader) => write!(f, "worklist:{reader}"),
            Self::Case(case) => write!(f, "case:{case}"),
            Self::Portal(site) => write!(f, "portal:{site}"),
            Self::Deliveries => f.write_str("deliveries"),
            Self::Everything => f.write_str("everything"),
        }
    }
}

impl FromStr for Topic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, id) = text.split_once(':').map_or((text, None), |(name, id)| (name, id.parse::<i64>().ok()));
        match (name, id) {
            ("jobs", None) => Ok(Self::Jobs),
            ("plan", Some(id)) => Ok(Self::Plan(id)),
            ("board", Some(id)) => Ok(Self::Board(id)),
            ("worklist", Some(id)) => Ok(Self::Worklist(id)),
            ("case", Some(id)) => Ok(Self::Case(id)),
            ("portal", Some(id)) => Ok(Self::Portal(id)),
            ("deliveries", None) => Ok(Self::Deliveries),
            ("everything", None) => Ok(Self::Everything),
            _ => Err(()),
        }
    }
}

/// Sends and hears signals: within the process always, between processes over Redis where there is one.
#[derive(Debug, Clone)]
pub struct Wake {
    heard: broadcast::Sender<Topic>,
    relay: Option<mpsc::UnboundedSender<Topic>>,
}

/// How many signals a slow listener may be behind before it is told to look at everything.
const BACKLOG: usize = 1024;

impl Wake {
    /// Signals within this process only.
    pub fn in_process() -> Self {
        Self { heard: broadcast::channel(BACKLOG).0, relay: None }
    }

    /// Signals also to and from every process at this Redis, until `stop` says so. Connects and reconnects by itself.
    ///
    /// # Errors
    /// The address is not one that Redis understands.
    pub fn over_redis(url: &str, stop: watch::Receiver<bool>) -> anyhow::Result<Self> {
        let heard = broadcast::channel(BACKLOG).0;
        let relay = redis::start(url, heard.clone(), stop)?;
        Ok(Self { heard, relay: Some(relay) })
    }

    /// Tells everybody that `topic` should be looked at again. Never waits, never fails.
    pub fn tell(&self, topic: Topic) {
        // No listener is no fault: the next one reads the database when it begins.
        let _ = self.heard.send(topic);
        if let Some(relay) = &self.relay {
            // The relay ends only when the process stops.
            let _ = relay.send(topic);
        }
    }

    /// Hears every signal from now on.
    pub fn listen(&self) -> Ear {
        Ear(self.heard.subscribe())
    }
}

/// One listener.
#[derive(Debug)]
pub struct Ear(broadcast::Receiver<Topic>);

impl Ear {
    /// The next signal; [`Topic::Everything`] where some were missed; `None` when the process stops.
    pub async fn next(&mut self) -> Option<Topic> {
        match self.0.recv().await {
            Ok(topic) => Some(topic),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Topic::Everything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The next signal among `topics` (or that everything should be looked at); others are passed over.
    pub async fn next_of(&mut self, topics: &[Topic]) -> Option<Topic> {
        loop {
            let topic = self.next().await?;
            if topic == Topic::Everything || topics.contains(&topic) {
                return Some(topic);
            }
        }
    }

    /// Those among `topics` that wait already, each once.
    pub fn waiting_of(&mut self, topics: &[Topic]) -> Vec<Topic> {
        let mut waiting = Vec::new();
        loop {
            let topic = match self.0.try_recv() {
                Ok(topic) => topic,
                Err(broadcast::error::TryRecvError::Lagged(_)) => Topic::Everything,
                Err(_) => return waiting,
            };
            if (topic == Topic::Everything || topics.contains(&topic)) && !waiting.contains(&topic) {
                waiting.push(topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_survives_the_wire() {
        for topic in [
            Topic::Jobs,
            Topic::Plan(1),
            Topic::Board(2),
            Topic::Worklist(3),
            Topic::Case(4),
            Topic::Portal(5),
            Topic::Deliveries,
            Topic::Everything,
        ] {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        assert!("case".parse::<Topic>().is_err());
        assert!("case:x".parse::<Topic>().is_err());
    }

    #[tokio::test]
    async fn a_listener_that_fell_behind_looks_at_everything() {
        let wake = Wake::in_process();
        let mut ear = wake.listen();
        for _ in 0..=BACKLOG {
            wake.tell(Topic::Jobs);
        }
        assert_eq!(ear.next().await, Some(Topic::Everything));
        assert_eq!(ear.next().await, Some(Topic::Jobs));
    }

    #[tokio::test]
    async fn a_listener_hears_what_it_asked_for() {
        let wake = Wake::in_process();
        let mut ear = wake.listen();
        wake.tell(Topic::Case(1));
        wake.tell(Topic::Case(2));
        assert_eq!(ear.next_of(&[Topic::Case(2)]).await, Some(Topic::Case(2)));
    }
}
