//! Opens the store that the configuration names.
#![expect(clippy::disallowed_methods, reason = "makes the folder of a mirror that is one")]

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, RetryConfig, StaticCredentialProvider};

use super::http::{Wire, trusting_as_the_machine};
use super::{Depot, PUT_MAX};
use crate::config::mirror::{Bucket, Place, REGION};
use crate::mirror::Credentials;

/// Opens a store. A bucket is not asked for anything yet: the station starts whether or not it is there.
///
/// # Errors
/// What is wrong with it, in words.
pub fn open(place: &Place, credentials: Option<Credentials>) -> Result<Depot, String> {
    match place {
        Place::Bucket(bucket) => open_bucket(bucket, credentials),
        Place::Folder(path) => {
            let called = path.display();
            std::fs::create_dir_all(path).map_err(|error| format!("the folder {called} cannot be made: {error}"))?;
            let store = LocalFileSystem::new_with_prefix(path);
            let store = store.map_err(|error| format!("the folder {called} cannot be used: {error}"))?;
            let (store, called) = (Arc::new(store.with_automatic_cleanup(true)), called.to_string().into());
            Ok(Depot { store, prefix: Path::default(), has_headers: false, called })
        }
    }
}

fn open_bucket(bucket: &Bucket, credentials: Option<Credentials>) -> Result<Depot, String> {
    let Bucket { name, prefix, endpoint, region, .. } = bucket;
    // What the environment says counts where the configuration says nothing.
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let known = builder.get_config_value(&AmazonS3ConfigKey::Region).is_some();
    if let Some(region) = region.as_deref().or((!known).then_some(REGION)) {
        builder = builder.with_region(region);
    }
    if let Some(Credentials { key_id, secret, token }) = credentials {
        // All of them at once: a token in the environment belongs to other keys.
        let keys = AwsCredential { key_id, secret_key: secret, token };
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(keys)));
    }
    let plain = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).is_some_and(|at| at.starts_with("http://"));
    // Keys that are lent to a machine are fetched over plain HTTP, so that no certificates are no reason to refuse.
    let trust = if plain { None } else { Some(trusting_as_the_machine()?) };
    // Trying again is the mirror's own affair: by then it has something newer.
    let retry = RetryConfig { max_retries: 0, retry_timeout: PUT_MAX, backoff: BackoffConfig::default() };
    let builder = builder.with_http_connector(Wire::new(trust)).with_retry(retry).with_allow_http(plain);
    let store = builder.build().map_err(|error| format!("the bucket {name} cannot be used: {error}"))?;
    let called = format!("s3://{name}/{prefix}");
    Ok(Depot { store: Arc::new(store), prefix: Path::from(prefix.as_str()), has_headers: true, called: called.into() })
}
