//! Signals between processes, over a real Redis that comes and goes.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dokuei_server::wake::{Ear, Topic, Wake};
use tokio::sync::watch;

/// A Redis of our own on a port of loopback; killed when dropped.
struct Redis(Child);

impl Redis {
    fn start(port: u16) -> Self {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("redis-server is installed"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn hears(ear: &mut Ear, topic: Topic) -> bool {
    let heard = async {
        while let Some(heard) = ear.next().await {
            if heard == topic {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(Duration::from_secs(15), heard).await.unwrap_or(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_hears_another_and_looks_at_everything_after_redis_was_away() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("redis://127.0.0.1:{port}/");
    let (_stop, stopped) = watch::channel(false);
    let redis = Redis::start(port);
    let one = Wake::over_redis(&url, stopped.clone()).unwrap();
    let other = Wake::over_redis(&url, stopped).unwrap();
    let mut ear = other.listen();
    assert!(hears(&mut ear, Topic::Everything).await, "connected: what was said before was missed");
    // The speaker may still be connecting; a signal that is lost would be found by looking, here it is said again.
    let mut heard = false;
    for _ in 0..50 {
        one.tell(Topic::Worklist(4));
        heard = tokio::time::timeout(Duration::from_millis(200), ear.next_of(&[Topic::Worklist(4)])).await.is_ok();
        if heard {
            break;
        }
    }
    assert!(heard);

    drop(redis);
    let mut own = one.listen();
    one.tell(Topic::Board(1));
    assert!(hears(&mut own, Topic::Board(1)).await, "without Redis a process still hears itself");
    let _redis = Redis::start(port);
    assert!(hears(&mut ear, Topic::Everything).await, "back again: everything is looked at");
}
