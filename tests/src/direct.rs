//! Client and engine face to face: everything that happens to a query, without the requests around it.

use client::{Seed, Session};
use native_server::{
    engine::{Engine, KeyRing},
    models,
};
use protocol::{
    container::{self, ObjectType},
    manifest::STEM,
};
use std::{error::Error, ops::ControlFlow, path::Path, sync::Arc};

use crate::workspace;

/// A client with its keys at an engine.
pub struct Direct {
    /// The client.
    pub session: Session,
    engine: Arc<dyn Engine>,
    keys: Box<dyn KeyRing>,
}

impl Direct {
    /// Makes all keys for a model of this repository at the released parameters.
    pub fn new(model: &str) -> Result<Self, Box<dyn Error>> {
        let folder = workspace::root().join("models").join(model);
        Self::with(models::load(Path::new(&folder))?)
    }

    fn with(engine: Arc<dyn Engine>) -> Result<Self, Box<dyn Error>> {
        let mut session = Session::new(engine.manifest(), Seed::random()?)?;
        if let Some(stem) = engine.file(STEM) {
            session.load_stem(stem)?;
        }
        let mut keys = engine.clone().open();
        for (index, entry) in engine.manifest().keys.iter().enumerate() {
            let key = session.key(index)?;
            if key.len() as u64 != entry.bytes {
                return Err(format!("{} has {} bytes", entry.name, key.len()).into());
            }
            keys.insert(index, open(&key, ObjectType::EvaluationKey, &*engine)?)
                .map_err(|problem| problem.detail)?;
        }
        Ok(Self {
            session,
            engine,
            keys,
        })
    }

    /// The engine's answer to a query: container in, container out.
    pub fn answer(&self, query: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        let query = open(query, ObjectType::Query, &*self.engine)?;
        let result = self
            .keys
            .evaluate(query, &mut |_, _| ControlFlow::Continue(()))
            .map_err(|stopped| format!("{stopped:?}"))?;
        let digest = self.engine.parameter_digest();
        Ok(container::write(ObjectType::Result, &digest, &result))
    }
}

fn open<'b>(
    bytes: &'b [u8],
    kind: ObjectType,
    engine: &dyn Engine,
) -> Result<&'b [u8], container::ContainerError> {
    container::read(bytes, bytes.len(), kind, &engine.parameter_digest())
}
