//! Keys in a bucket. Needs a build with S3 and a server that speaks it:
//!
//! ```text
//! pip install 'moto[server,s3]' && moto_server --port 5555 & curl -X PUT http://127.0.0.1:5555/keys
//! AWS_ENDPOINT=http://127.0.0.1:5555 AWS_ALLOW_HTTP=true AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x \
//!     CIPHERFORMER_TEST_BUCKET=s3://keys/test cargo test -p cipherformer-native-server --features s3 --test bucket -- --include-ignored
//! ```
#![cfg(all(unix, feature = "s3"))]

mod common;

use common::{
    fake_key, manifest,
    process::{Process, Start},
};
use protocol::problem::ProblemKind;

fn start() -> Process {
    let bucket = std::env::var("CIPHERFORMER_TEST_BUCKET");
    Start {
        store: Some(bucket.expect("CIPHERFORMER_TEST_BUCKET names no bucket")),
        ..Start::default()
    }
    .run()
}

#[test]
#[ignore = "needs a server that speaks S3"]
fn keys_in_a_bucket_survive_the_server_and_leave_with_their_set() {
    let server = start();
    let set = server.site.complete_key_set();
    let half = server.site.new_key_set();
    let name = &manifest().keys[1].name;
    assert_eq!(server.site.upload(&half, name, &fake_key(1)).status, 204);
    server.kill();

    let server = start();
    assert!(server.site.missing(&set).is_empty());
    assert_eq!(
        server.site.missing(&half),
        [manifest().keys[0].name.clone()]
    );
    // The keys come back from the bucket.
    server.site.answers(&set);
    assert_eq!(server.site.delete(&set).status, 204);
    server.kill();

    let server = start();
    server.site.get(&set).is(ProblemKind::UnknownKeySet);
    assert_eq!(server.site.get(&half).status, 200);
    assert_eq!(server.site.delete(&half).status, 204);
}
