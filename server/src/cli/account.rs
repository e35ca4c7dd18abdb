//! Accounts at the command line, for whoever has the machine: the first administrator, users, tokens.
//!
//! Passwords are made here and printed once, or read from a file or standard
//! input; never taken as an argument, where the list of processes shows them.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Subcommand;
use dokuei_models::store::{grants, users};
use dokuei_models::{Actor, PoolId, SiteId};
use dokuei_terms::Language;

use super::Places;
use crate::app::accounts::{self, NewAccount, random_password};
use crate::authority::{Role, Scope};
use crate::boot;
use crate::config::Config;
use crate::state::State;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Everybody with an account
    List(Places),
    /// A new account; its password is printed once
    Add {
        #[command(flatten)]
        places: Places,
        /// The login name
        login: String,
        /// The name in Japanese
        #[arg(long)]
        name: String,
        /// The name in English
        #[arg(long, default_value = "")]
        name_en: String,
        /// ja or en
        #[arg(long, default_value = "ja")]
        language: String,
        /// A role: ROLE, ROLE@site:ID or ROLE@pool:ID; may be given more than once
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
    },
    /// A new password, printed once (or read from standard input); ends the person's sessions
    Password {
        #[command(flatten)]
        places: Places,
        /// The login name
        login: String,
        /// Read the password from standard input
        #[arg(long)]
        stdin: bool,
    },
    /// Lock a person out; ends the sessions
    Lock {
        #[command(flatten)]
        places: Places,
        /// The login name
        login: String,
    },
    /// Let a person in again
    Unlock {
        #[command(flatten)]
        places: Places,
        /// The login name
        login: String,
    },
    /// An API token in the person's name, printed once
    Token {
        #[command(flatten)]
        places: Places,
        /// The login name
        login: String,
        /// What it is for
        #[arg(long)]
        name: String,
    },
}

impl UserCommand {
    pub(super) fn places(&self) -> &Places {
        match self {
            Self::List(places)
            | Self::Add { places, .. }
            | Self::Password { places, .. }
            | Self::Lock { places, .. }
            | Self::Unlock { places, .. }
            | Self::Token { places, .. } => places,
        }
    }
}

fn by_the_operator(state: &State) -> Actor {
    Actor::system("command-line", state.now())
}

fn in_words(error: &crate::error::Error) -> anyhow::Error {
    let fields: Vec<&str> = error.fields().iter().map(|(_, code)| code.en).collect();
    anyhow::anyhow!("{} {}", error.sentence(Language::En), fields.join(" "))
}

/// Makes the first administrator, in a database that has none.
pub(super) async fn init(config: Config, login: &str, name: &str) -> anyhow::Result<()> {
    let (state, _stop) = boot::open(config).await?;
    let now = state.now();
    let administrators = state
        .db
        .read(move |connection| grants::grant_count_of_role(connection, Role::Administrator.code(), now))
        .await?;
    anyhow::ensure!(administrators == 0, "there is an administrator already; `dokuei user add` makes more");
    let password = random_password(&state);
    let account = NewAccount {
        login: login.to_owned(),
        name_ja: name.to_owned(),
        name_kana: String::new(),
        name_en: String::new(),
        email: String::new(),
        language: "ja".to_owned(),
        grants: vec![(Role::Administrator, Scope::All)],
    };
    let by = by_the_operator(&state);
    accounts::create(&state, account, password.clone(), by).await.map_err(|error| in_words(&error))?;
    println!("login    {login}\npassword {password}\nThe password is not kept anywhere; change it after signing in.");
    Ok(())
}

pub(super) async fn user(config: Config, command: UserCommand) -> anyhow::Result<()> {
    let (state, _stop) = boot::open(config).await?;
    let by = by_the_operator(&state);
    match command {
        UserCommand::List(_) => list(&state).await,
        UserCommand::Add { login, name, name_en, language, roles, .. } => {
            let grants = roles.iter().map(|text| parse_grant(text)).collect::<anyhow::Result<Vec<_>>>()?;
            let password = random_password(&state);
            let account = NewAccount {
                login: login.clone(),
                name_ja: name,
                name_kana: String::new(),
                name_en,
                email: String::new(),
                language,
                grants,
            };
            accounts::create(&state, account, password.clone(), by).await.map_err(|error| in_words(&error))?;
            println!("login    {login}\npassword {password}");
            Ok(())
        }
        UserCommand::Password { login, stdin, .. } => {
            let password = if stdin { password_from_stdin()? } else { random_password(&state) };
            accounts::reset_password(&state, &login, password.clone(), by).await.map_err(|error| in_words(&error))?;
            if !stdin {
                println!("password {password}");
            }
            Ok(())
        }
        UserCommand::Lock { login, .. } => {
            accounts::set_active(&state, &login, false, by).await.map_err(|error| in_words(&error))
        }
        UserCommand::Unlock { login, .. } => {
            accounts::set_active(&state, &login, true, by).await.map_err(|error| in_words(&error))
        }
        UserCommand::Token { login, name, .. } => {
            let wanted = login.clone();
            let user = state.db.read(move |connection| users::user_by_login(connection, &wanted)).await?;
            let user = user.with_context(|| format!("there is no user {login}"))?;
            let token =
                accounts::create_token(&state, user.id, &name, None, by).await.map_err(|error| in_words(&error))?;
            println!("{token}");
            Ok(())
        }
    }
}

async fn list(state: &State) -> anyhow::Result<()> {
    let now = state.now();
    let rows = state
        .db
        .read(move |connection| {
            users::user_list(connection)?
                .into_iter()
                .map(|user| Ok((grants::grant_list_in_force(connection, user.id, now)?, user)))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    for (grants, user) in rows {
        let roles: Vec<String> = grants
            .iter()
            .map(|grant| match (grant.site_id, grant.pool_id) {
                (Some(site), _) => format!("{}@site:{site}", grant.role),
                (None, Some(pool)) => format!("{}@pool:{pool}", grant.role),
                (None, None) => grant.role.clone(),
            })
            .collect();
        println!(
            "{}\t{}\t{}\t{}",
            user.login,
            user.name_ja,
            if user.active { "active" } else { "locked" },
            roles.join(" ")
        );
    }
    Ok(())
}

fn password_from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn parse_grant(text: &str) -> anyhow::Result<(Role, Scope)> {
    let (role, scope) = text.split_once('@').map_or((text, None), |(role, scope)| (role, Some(scope)));
    let known = Role::ALL.map(Role::code).join(", ");
    let role = Role::of(role).with_context(|| format!("{role} is no role; there are {known}"))?;
    let scope = match scope.map(|scope| scope.split_once(':')) {
        None => Scope::All,
        Some(Some(("site", id))) => Scope::Site(SiteId(id.parse().context("the site's id")?)),
        Some(Some(("pool", id))) => Scope::Pool(PoolId(id.parse().context("the pool's id")?)),
        Some(_) => anyhow::bail!("{text}: a scope is @site:ID or @pool:ID"),
    };
    Ok((role, scope))
}
