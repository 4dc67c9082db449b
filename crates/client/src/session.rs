//! One secret key at work with one model.

use ckks::{Ciphertext, Decryptor, Encryptor, KeyGenerator, SecretKey, Seed};
use model::{
    Preprocessing,
    vit::{ConvolutionShape, Stem},
};
use protocol::{
    check::{Checked, Trust},
    container::{self, ObjectType},
    hex::Hex,
    limits,
    manifest::{self, Classify, Manifest, STEM, Task, TaskKind},
};

use crate::{ClientError, Ranked, Rgb32, classify};

const FINGERPRINT_DIGITS: usize = 16;

/// A secret key and the model it talks to. It has no `Debug` and no serialiser; dropping it wipes the key.
pub struct Session {
    manifest: Manifest,
    checked: Checked,
    secret: SecretKey,
    /// There from the start where the model has no convolutions.
    stem: Option<Stem>,
}

impl Session {
    /// Reads and examines a manifest as the server sent it.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`] or what [`Session::new`] gives.
    pub fn from_json(manifest: &[u8], seed: Seed) -> Result<Self, ClientError> {
        if manifest.len() > limits::MANIFEST_BYTES {
            return Err(ClientError::Unreadable("it is too long".to_owned()));
        }
        let manifest: Manifest = serde_json::from_slice(manifest)
            .map_err(|error| ClientError::Unreadable(error.to_string()))?;
        Self::new(&manifest, seed)
    }

    /// Examines the manifest and derives the secret key from the seed.
    ///
    /// # Errors
    /// [`ClientError::Manifest`] when it asks for anything this client does not know to be sound.
    pub fn new(manifest: &Manifest, seed: Seed) -> Result<Self, ClientError> {
        Self::with_trust(manifest, seed, Trust::Secure)
    }

    /// Like [`Session::new`]; with [`Trust::InsecureForTests`] also for the small rings of tests.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn with_trust(manifest: &Manifest, seed: Seed, trust: Trust) -> Result<Self, ClientError> {
        let checked = manifest.check(trust)?;
        let stem = match &manifest.task {
            Task::Classify(Classify { preprocessing, .. })
                if preprocessing.convolutions.is_empty() =>
            {
                let steps = steps(preprocessing);
                Some(Stem::from_bytes(&steps, None).map_err(ClientError::Stem)?)
            }
            _ => None,
        };
        let secret = SecretKey::new(&checked.parameters, &seed);
        Ok(Self {
            manifest: manifest.clone(),
            checked,
            secret,
            stem,
        })
    }

    /// The manifest in use.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Makes the container of one evaluation key. The same session makes the same key again.
    ///
    /// # Errors
    /// [`ClientError::NoSuchKey`] past the manifest's last key.
    pub fn key(&self, index: usize) -> Result<Vec<u8>, ClientError> {
        let entry = self
            .manifest
            .keys
            .get(index)
            .ok_or(ClientError::NoSuchKey(index))?;
        let parameters = &self.checked.parameters;
        let generator = KeyGenerator::new(parameters, &self.secret);
        let key = generator.generate(&entry.spec).map_err(ClientError::Key)?;
        let payload = key.to_bytes(parameters);
        Ok(container::write(
            ObjectType::EvaluationKey,
            &parameters.digest(),
            &payload,
        ))
    }

    /// Sixteen digits that name this session's keys: the start of BLAKE3 over the configuration's digest and the container of the
    /// first evaluation key, both of which the server has too.
    #[must_use]
    pub fn fingerprint(&self, first_key: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.manifest.configuration.0);
        hasher.update(first_key);
        hasher
            .finalize()
            .to_hex()
            .chars()
            .take(FINGERPRINT_DIGITS)
            .collect()
    }

    /// Checks that two downloaded files are the clear model whose encrypted evaluation the manifest offers.
    ///
    /// # Errors
    /// [`ClientError::File`] otherwise.
    pub fn check_weights(&self, config: &[u8], weights: &[u8]) -> Result<(), ClientError> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(config);
        hasher.update(weights);
        if self.manifest.weights == Hex(*hasher.finalize().as_bytes()) {
            return Ok(());
        }
        Err(ClientError::File("model.safetensors".to_owned()))
    }

    /// Checks that a downloaded file is the one that the manifest names.
    ///
    /// # Errors
    /// [`ClientError::File`] otherwise.
    pub fn check_file(&self, name: &str, content: &[u8]) -> Result<(), ClientError> {
        match self.manifest.task.file(name) {
            Some(file) if file.is(content) => Ok(()),
            _ => Err(ClientError::File(name.to_owned())),
        }
    }

    /// Reads the weights of an image's convolutions from [`STEM`]'s content, after [`Session::check_file`]. A model that lists that file needs
    /// it before it can encrypt.
    ///
    /// # Errors
    /// [`ClientError::File`], [`ClientError::Stem`], [`ClientError::OtherTask`].
    pub fn load_stem(&mut self, content: &[u8]) -> Result<(), ClientError> {
        let steps = steps(&self.images()?.preprocessing);
        self.check_file(STEM, content)?;
        self.stem = Some(Stem::from_bytes(&steps, Some(content)).map_err(ClientError::Stem)?);
        Ok(())
    }

    /// Encrypts an image with fresh randomness; returns the query container.
    ///
    /// # Errors
    /// [`ClientError::Encrypt`], for example without a source of randomness; [`ClientError::NoStem`], [`ClientError::OtherTask`].
    pub fn encrypt_image(&self, image: &Rgb32) -> Result<Vec<u8>, ClientError> {
        self.images()?;
        let patches = self
            .stem
            .as_ref()
            .ok_or(ClientError::NoStem)?
            .patches(image);
        let values: Vec<f32> = patches.iter().copied().collect();
        self.encrypt(&values)
    }

    /// Encrypts the values of the model's input with fresh randomness; returns the query container.
    pub(crate) fn encrypt(&self, values: &[f32]) -> Result<Vec<u8>, ClientError> {
        let slots = self.checked.query.pack(values)?;
        let parameters = &self.checked.parameters;
        let query = Encryptor::new(parameters, &self.secret)
            .encrypt(&slots, &self.manifest.query.spec)
            .map_err(|error| ClientError::Encrypt(error.to_string()))?;
        let payload = query.to_bytes(parameters);
        Ok(container::write(
            ObjectType::Query,
            &parameters.digest(),
            &payload,
        ))
    }

    /// Decrypts a result container: one value per class, or the hidden vector behind the last token.
    ///
    /// # Errors
    /// [`ClientError::Answer`] or [`ClientError::Ciphertext`] when the bytes are not such a result.
    pub fn decrypt(&self, answer: &[u8]) -> Result<Vec<f32>, ClientError> {
        let parameters = &self.checked.parameters;
        let limit = usize::try_from(self.manifest.result.bytes).unwrap_or(limits::CONTAINER_BYTES);
        let payload = container::read(answer, limit, ObjectType::Result, &parameters.digest())?;
        let ciphertext = Ciphertext::from_bytes(parameters, &self.manifest.result.spec, payload)
            .map_err(ClientError::Ciphertext)?;
        let slots = Decryptor::new(parameters, &self.secret).decrypt(&ciphertext);
        Ok(self.checked.result.unpack(&slots)?)
    }

    /// The `k` most likely classes of decrypted values.
    ///
    /// # Errors
    /// [`ClientError::OtherTask`] when the model does not classify.
    pub fn classify(&self, logits: &[f32], k: usize) -> Result<Vec<Ranked>, ClientError> {
        Ok(classify(logits, &self.images()?.labels, k))
    }

    fn images(&self) -> Result<&Classify, ClientError> {
        match &self.manifest.task {
            Task::Classify(classify) => Ok(classify),
            Task::Complete(_) => Err(ClientError::OtherTask(TaskKind::Complete)),
        }
    }
}

// The examination bounded these numbers by 96 pixels.
fn steps(steps: &manifest::Preprocessing) -> Preprocessing {
    Preprocessing {
        size: steps.size as usize,
        mean: steps.mean,
        std: steps.std,
        pad: steps.pad as usize,
        patch: steps.patch as usize,
        stride: steps.stride as usize,
        convolutions: steps.convolutions.iter().map(convolution).collect(),
    }
}

fn convolution(shape: &manifest::Convolution) -> ConvolutionShape {
    ConvolutionShape {
        channels: shape.channels as usize,
        size: shape.size as usize,
        stride: shape.stride as usize,
        pad: shape.pad as usize,
    }
}
