//! Signals over one Redis channel. A lost connection is taken up again with growing pauses.

use std::time::Duration;

use futures_util::StreamExt as _;
use redis::AsyncCommands as _;
use tokio::sync::{broadcast, mpsc, watch};

use super::Topic;

const CHANNEL: &str = "dokuei:wake";
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Starts the two tasks (one speaks, one hears) and returns where to put what is to be said.
pub(super) fn start(
    url: &str,
    heard: broadcast::Sender<Topic>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<mpsc::UnboundedSender<Topic>> {
    let client =
        redis::Client::open(url).map_err(|_| anyhow::anyhow!("REDIS_URL is not an address of a Redis server"))?;
    let me = format!("{:016x}", rand::random::<u64>());
    let (said, to_say) = mpsc::unbounded_channel();
    tokio::spawn(speak(client.clone(), me.clone(), to_say, stop.clone()));
    tokio::spawn(hear(client, me, heard, stop));
    Ok(said)
}

async fn speak(
    client: redis::Client,
    me: String,
    mut to_say: mpsc::UnboundedReceiver<Topic>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = Duration::from_millis(100);
    'connect: loop {
        let connected = tokio::select! {
            connected = client.get_multiplexed_async_connection() => connected,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok(mut connection) = connected else {
            if rest(&mut pause, &mut stop).await {
                return;
            } else {
                continue;
            };
        };
        pause = Duration::from_millis(100);
        loop {
            let topic = tokio::select! {
                topic = to_say.recv() => topic,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Some(topic) = topic else { return };
            let told: redis::RedisResult<()> = connection.publish(CHANNEL, format!("{me} {topic}")).await;
            if let Err(error) = told {
                tracing::warn!(kind = ?error.kind(), "a signal was not sent; listeners find the change by looking");
                continue 'connect;
            }
        }
    }
}

async fn hear(client: redis::Client, me: String, heard: broadcast::Sender<Topic>, mut stop: watch::Receiver<bool>) {
    let mut pause = Duration::from_millis(100);
    loop {
        tokio::select! {
            ended = hear_once(&client, &me, &heard, &mut pause) => {
                if let Err(error) = ended {
                    tracing::warn!(kind = ?error.kind(), "Redis is not heard; changes are found by looking");
                }
            }
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if rest(&mut pause, &mut stop).await {
            return;
        }
    }
}

/// Hears until the connection ends. What was said while nobody listened is made up for by one [`Topic::Everything`].
async fn hear_once(
    client: &redis::Client,
    me: &str,
    heard: &broadcast::Sender<Topic>,
    pause: &mut Duration,
) -> redis::RedisResult<()> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    *pause = Duration::from_millis(100);
    let _ = heard.send(Topic::Everything);
    let mut messages = subscription.on_message();
    while let Some(message) = messages.next().await {
        let text: String = message.get_payload()?;
        if let Some((sender, topic)) = text.split_once(' ')
            && sender != me
            && let Ok(topic) = topic.parse()
        {
            let _ = heard.send(topic);
        }
    }
    Ok(())
}

/// Waits a little longer each time; true when the process stops meanwhile.
async fn rest(pause: &mut Duration, stop: &mut watch::Receiver<bool>) -> bool {
    let now = *pause;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
    tokio::select! {
        () = tokio::time::sleep(now) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}
