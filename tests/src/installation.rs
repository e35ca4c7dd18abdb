//! A whole installation with the demo organisation, in one process or as roles apart.
//!
//! A test asks for one of the two and goes on without knowing which. Apart means
//! `web`, `gateway` and `worker` over PostgreSQL, Redis and a folder or bucket they share;
//! as the demo organisation is only ever made over the embedded database, it is
//! made there first and its rows (who and where, never what happened) are copied.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{Api, Browser};
use crate::dokuei::{DemoLogin, Dokuei, command, demo_logins};
use crate::postgres::Database;
use crate::process::{eventually, run_checked, script};
use crate::redis::Redis;

/// Long enough for anything that goes on by itself, on a busy machine.
pub const LONG: Duration = Duration::from_secs(90);

/// The tables that say who there is and where; what refers comes after what it refers to.
const ORGANISATION: [&str; 16] = [
    "pools",
    "sites",
    "filings",
    "site_endpoints",
    "site_calendars",
    "tariffs",
    "tariff_lines",
    "contracts",
    "users",
    "grants",
    "readers",
    "affiliations",
    "privileges",
    "shift_patterns",
    "shifts",
    "skills",
];

#[derive(Debug)]
enum Rows {
    Sqlite(PathBuf),
    Postgres(Database),
}

/// A settled layout with its processes. Dropping it stops them.
#[derive(Debug)]
pub struct Installation {
    web: Dokuei,
    gateway: Option<Dokuei>,
    worker: Option<Dokuei>,
    redis: Option<Redis>,
    rows: Rows,
    settings: Vec<(&'static str, String)>,
    people: Vec<DemoLogin>,
    folder: TempDir,
}

/// A read that stands on a reader's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    pub login: String,
    pub read: i64,
    pub case: i64,
}

impl Installation {
    /// `dokuei run` over an empty folder, with more settings.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn together(settings: &[(&'static str, String)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let web = Dokuei::run(folder.path(), settings).await?;
        let people = demo_logins(folder.path())?;
        let rows = Rows::Sqlite(folder.path().join("dokuei.sqlite3"));
        Ok(Self { web, gateway: None, worker: None, redis: None, rows, settings: settings.to_vec(), people, folder })
    }

    /// `dokuei web`, `gateway` and `worker` over `database` and a Redis of their own, with more settings; `{role}` in one
    /// becomes the role's name.
    ///
    /// # Errors
    /// When one of them does not become ready.
    pub async fn apart(database: Database, settings: &[(&'static str, String)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = Redis::start().await?;
        let place = |name: &str| -> Result<String> {
            let own = folder.path().join(name);
            std::fs::create_dir_all(&own)?;
            Ok(own.to_str().context("a temporary folder has a plain name")?.to_owned())
        };
        let seed = place("seed")?;
        Dokuei::run(Path::new(&seed), &[]).await?.stop().await?;
        let people = demo_logins(Path::new(&seed))?;

        let mut all = settings.to_vec();
        all.push(("DATABASE_URL", database.url()));
        all.push(("REDIS_URL", redis.url()));
        if all.iter().all(|(name, _)| *name != "OBJECTS_URL") {
            all.push(("OBJECTS_URL", format!("file://{}", folder.path().join("objects").display())));
        }
        all.push(("DOKUEI_MASTER_KEY", "11".repeat(32)));
        run_checked(&mut command(&["migrate", "--data", &place("migrate")?], &all)?).await?;
        let mut copy = script("copy_rows.py")?;
        copy.arg(Path::new(&seed).join("dokuei.sqlite3")).arg(database.url()).args(ORGANISATION);
        run_checked(&mut copy).await?;

        let role = async |name: &str, more: &[&str]| -> Result<Dokuei> {
            let data = place(name)?;
            let arguments = [&[name, "--data", &data][..], more].concat();
            let own: Vec<_> = all.iter().map(|(key, value)| (*key, value.replace("{role}", name))).collect();
            Dokuei::start(name, command(&arguments, &own)?, Path::new(&data)).await
        };
        let http = ["--http", "127.0.0.1:0"];
        let web = role("web", &http).await?;
        let gateway = role("gateway", &["--dicom", "127.0.0.1:0", "--http", "127.0.0.1:0"]).await?;
        let worker = role("worker", &[]).await?;
        Ok(Self {
            web,
            gateway: Some(gateway),
            worker: Some(worker),
            redis: Some(redis),
            rows: Rows::Postgres(database),
            settings: all,
            people,
            folder,
        })
    }

    /// Where pages and API are.
    ///
    /// # Errors
    /// Never in practice: this process serves HTTP.
    pub fn http(&self) -> Result<SocketAddr> {
        self.web.http()
    }

    /// Where images go.
    ///
    /// # Errors
    /// Never in practice: one of the processes takes associations.
    pub fn dicom(&self) -> Result<SocketAddr> {
        self.gateway.as_ref().unwrap_or(&self.web).dicom()
    }

    /// The process that serves pages; in one process that is all of it.
    pub fn web(&self) -> &Dokuei {
        &self.web
    }

    /// The process that takes images.
    pub fn gateway(&self) -> &Dokuei {
        self.gateway.as_ref().unwrap_or(&self.web)
    }

    /// Everything every process has said.
    pub fn log(&self) -> String {
        let others = [&self.gateway, &self.worker].into_iter().flatten().map(Dokuei::log);
        std::iter::once(self.web.log()).chain(others).collect()
    }

    /// A place for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of objects.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    /// The database, as `stored_instances.py` takes it.
    pub fn database(&self) -> String {
        match &self.rows {
            Rows::Sqlite(path) => path.to_string_lossy().into_owned(),
            Rows::Postgres(database) => database.url(),
        }
    }

    /// Takes Redis away without a goodbye. Only the roles apart have one.
    ///
    /// # Errors
    /// When there is none or it was gone already.
    pub async fn kill_redis(&mut self) -> Result<()> {
        self.redis.take().context("there is no Redis here")?.kill().await
    }

    /// Asks or changes the database past Dokuei: what an administrator would do whose page is not built yet, and what a
    /// test compares an answer with. A row a line, columns parted by `|`.
    ///
    /// # Errors
    /// What the database says against it.
    pub async fn sql(&self, statement: &str) -> Result<String> {
        match &self.rows {
            Rows::Postgres(database) => database.query(statement),
            Rows::Sqlite(path) => {
                let mut command = Command::new("sqlite3");
                command.args(["-cmd", ".timeout 10000"]).arg(path).arg(statement);
                Ok(run_checked(&mut command).await?.trim().to_owned())
            }
        }
    }

    /// Lets a site's node take reports back at `address`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn returns_to(&self, ae_title: &str, address: SocketAddr) -> Result<()> {
        let (host, port) = (address.ip(), address.port());
        let set = format!("host = '{host}', port = {port}, receives = true");
        self.sql(&format!("UPDATE site_endpoints SET {set} WHERE ae_title = '{ae_title}'")).await?;
        Ok(())
    }

    /// The sample files are decades old: without this a site's limit keeps them for comparison only.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reads_old_studies(&self) -> Result<()> {
        self.sql("UPDATE sites SET comparison_after_days = 100000").await?;
        Ok(())
    }

    /// A demo person's password.
    ///
    /// # Errors
    /// When nobody is called so.
    pub fn password(&self, login: &str) -> Result<&str> {
        let person = self.people.iter().find(|person| person.login == login);
        Ok(&person.with_context(|| format!("no demo person is called {login}"))?.password)
    }

    /// A demo person's browser, signed in.
    ///
    /// # Errors
    /// When the login is refused.
    pub async fn browser(&self, login: &str) -> Result<Browser> {
        let mut browser = Browser::open(self.http()?)?;
        browser.sign_in(login, self.password(login)?).await?;
        Ok(browser)
    }

    /// A program with a token in the name of a demo person.
    ///
    /// # Errors
    /// When no token is made.
    pub async fn program(&self, login: &str) -> Result<Api> {
        Api::new(self.http()?, &self.token(login).await?)
    }

    /// A token in the name of a demo person, for a program of another kind.
    ///
    /// # Errors
    /// When none is made.
    pub async fn token(&self, login: &str) -> Result<String> {
        let data = match &self.rows {
            Rows::Sqlite(_) => self.folder.path().to_owned(),
            Rows::Postgres(_) => self.folder.path().join("migrate"),
        };
        let data = data.to_str().context("a temporary folder has a plain name")?;
        let arguments = ["user", "token", login, "--name", "test", "--data", data];
        let told = run_checked(&mut command(&arguments, &self.settings)?).await?;
        let token = told.split_whitespace().max_by_key(|word| word.len()).context("no token was printed")?;
        Ok(token.to_owned())
    }

    /// The demo CA's certificate, as the page for verifiers gives it, in a file.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn root_pem(&self) -> Result<PathBuf> {
        let pem = Browser::open(self.http()?)?.page("/ca/root.pem").await?;
        let file = self.folder.path().join("root.pem");
        std::fs::write(&file, pem)?;
        Ok(file)
    }

    /// Waits until a read of the study's newest case stands on a reader's list.
    ///
    /// # Errors
    /// When that does not happen in time; the message says how far the study is.
    pub async fn assigned(&self, study_uid: &str) -> Result<Assigned> {
        let study = format!("s.study_uid = '{study_uid}' AND cs.role = 'current'");
        let list = format!(
            "SELECT u.login, r.id, r.case_id FROM reads r JOIN case_studies cs ON cs.case_id = r.case_id \
             JOIN studies s ON s.id = cs.study_id JOIN readers d ON d.id = r.reader_id JOIN users u ON u.id = d.user_id \
             WHERE {study} AND r.state = 'assigned' ORDER BY r.id DESC LIMIT 1"
        );
        let found = eventually("a read is on a reader's list", LONG, async || {
            let row = self.sql(&list).await?;
            Ok((!row.is_empty()).then_some(row))
        })
        .await;
        let row = match found {
            Ok(row) => row,
            Err(error) => {
                let far = format!(
                    "SELECT s.match_state, c.state, c.hold_reason, r.state, r.waiting_reason FROM studies s \
                     LEFT JOIN case_studies cs ON cs.study_id = s.id LEFT JOIN cases c ON c.id = cs.case_id \
                     LEFT JOIN reads r ON r.case_id = c.id WHERE s.study_uid = '{study_uid}'"
                );
                return Err(error.context(format!("study {study_uid}: {}", self.sql(&far).await?)));
            }
        };
        let mut cells = row.split('|');
        let mut next = || cells.next().with_context(|| format!("too few columns: {row}"));
        Ok(Assigned { login: next()?.to_owned(), read: next()?.parse()?, case: next()?.parse()? })
    }
}
