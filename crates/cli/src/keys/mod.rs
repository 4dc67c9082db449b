//! Key sets that outlive a command: made once, uploaded where they are missing, forgotten on request.

mod ring;
mod store;

use std::{
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

pub use ring::KeyRing;
use store::{Kept, Store};

use crate::{
    CliError, Stop,
    arguments::{Forget, KeyCommand, Keys, KeysOf},
    http::Api,
    remote::Remote,
    report::{one_line, print, table},
};

/// A kept key set.
#[derive(Serialize)]
struct Entry {
    server: String,
    model: String,
    configuration: String,
    age_seconds: u64,
    /// The folder of the seed.
    folder: String,
}

#[derive(Serialize)]
struct Listed {
    keys: Vec<Entry>,
}

#[derive(Serialize)]
struct Forgotten {
    forgotten: Vec<Gone>,
}

#[derive(Serialize)]
struct Gone {
    server: String,
    model: String,
    /// Whether the server has deleted the evaluation keys; it drops unused ones by itself.
    deleted_on_server: bool,
}

/// Makes, uploads, lists or forgets kept keys.
pub fn run(arguments: &Keys, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    let json = arguments.json;
    match &arguments.command {
        KeyCommand::Make(of) => send(of, true, json, out, stop),
        KeyCommand::Upload(of) => send(of, false, json, out, stop),
        KeyCommand::List => list(json, out),
        KeyCommand::Forget(which) => forget(which, json, out, stop),
    }
}

/// Uploads what the server lacks; makes what is not kept yet if `make`.
fn send(
    of: &KeysOf,
    make: bool,
    json: bool,
    out: &mut dyn Write,
    stop: &Stop,
) -> Result<(), CliError> {
    let api = Api::new(&of.server.server, stop);
    let store = Store::of_user()?;
    let models = match &of.model {
        Some(model) => vec![model.clone()],
        None => api
            .models()?
            .models
            .into_iter()
            .map(|model| model.id)
            .collect(),
    };
    let (mut entries, mut found) = (Vec::new(), false);
    for model in models {
        let manifest = api.manifest(&model)?;
        let kept = store.find(api.server(), &manifest.model)?;
        if !make && kept.is_none() {
            continue;
        }
        found = true;
        let keys = KeyRing::open(&api, &manifest, true)?;
        eprintln!("{}", one_line(&manifest.model));
        Remote::connect(api.clone(), keys, stop)?;
        let kept = store.find(api.server(), &manifest.model)?;
        entries.extend(kept.map(|kept| describe(&store, kept)));
    }
    if !found {
        return Err(CliError::NoKeys(of.server.server.clone()));
    }
    show(entries, json, out)
}

fn list(json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let store = Store::of_user()?;
    let kept = store.list()?.into_iter();
    show(kept.map(|kept| describe(&store, kept)).collect(), json, out)
}

fn forget(which: &Forget, json: bool, out: &mut dyn Write, stop: &Stop) -> Result<(), CliError> {
    let store = Store::of_user()?;
    let server = which.of.server.server.trim_end_matches('/');
    let chosen = |kept: &Kept| {
        let model = which.of.model.as_ref();
        which.all || kept.server == server && model.is_none_or(|model| *model == kept.model)
    };
    let chosen: Vec<_> = store.list()?.into_iter().filter(chosen).collect();
    if chosen.is_empty() && !which.all {
        return Err(CliError::NoKeys(server.to_owned()));
    }
    let mut forgotten = Vec::new();
    for kept in chosen {
        let lock = store.lock(&kept.server, &kept.model)?;
        store.remove(&kept.server, &kept.model)?;
        drop(lock);
        let deleted = kept.key_set.map_or(Ok(()), |set| {
            Api::new(&kept.server, stop).delete_key_set(set)
        });
        if let Err(error) = &deleted {
            eprintln!("{}", one_line(&error.to_string()));
        }
        forgotten.push(Gone {
            deleted_on_server: deleted.is_ok(),
            server: kept.server,
            model: kept.model,
        });
    }
    if json {
        return print(&Forgotten { forgotten }, out);
    }
    for Gone {
        server,
        model,
        deleted_on_server,
    } in forgotten
    {
        let there = if deleted_on_server {
            "deleted on the server"
        } else {
            "the server was not reached and drops them when they are unused for long"
        };
        let line = format!("{model} at {server}: the secret is deleted here, the keys: {there}");
        writeln!(out, "{}", one_line(&line))?;
    }
    Ok(())
}

fn describe(store: &Store, kept: Kept) -> Entry {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    Entry {
        folder: store
            .folder(&kept.server, &kept.model)
            .display()
            .to_string(),
        configuration: kept.configuration.to_string(),
        age_seconds: now.saturating_sub(kept.created),
        server: kept.server,
        model: kept.model,
    }
}

fn show(keys: Vec<Entry>, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    if json {
        return print(&Listed { keys }, out);
    }
    let rows: Vec<_> = keys
        .into_iter()
        .map(|entry| {
            let age = age(entry.age_seconds);
            [entry.model, entry.server, age, entry.folder].map(|cell| one_line(&cell))
        })
        .collect();
    table(["MODEL", "SERVER", "AGE", "FOLDER"], &rows, out)
}

fn age(seconds: u64) -> String {
    let units = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let unit = units.iter().find(|(length, _)| seconds >= 2 * length);
    let (length, name) = unit.unwrap_or(&(1, "second"));
    format!("{} {name}s", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_said_in_two_or_more_of_their_unit() {
        let ages = [0, 1, 119, 120, 7_199, 7_200, 172_799, 172_800].map(age);
        let expected = [
            "0 seconds",
            "1 seconds",
            "119 seconds",
            "2 minutes",
            "119 minutes",
            "2 hours",
            "47 hours",
            "2 days",
        ];
        assert_eq!(ages, expected);
    }
}
