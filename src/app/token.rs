//! The operator's token: from the environment, or from the file that the configuration names.
#![expect(clippy::disallowed_methods, reason = "reads the token")]

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::config::Admin;
use crate::http::desk::Token;

/// The variable that holds the token; it goes before the file.
pub const VARIABLE: &str = "NIGHTCAST_ADMIN_TOKEN";

/// How much of a token's file is read, in bytes: more than the longest token and the blanks around it.
const FILE_BYTES_MAX: u64 = 4096;

/// The rights of those who are neither the file's owner nor in its group.
const OTHERS: u32 = 0o007;

/// Why there is no token although one is wanted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error(
        "failed to read the operator's token from {path}: {source} (hint: make it with \"openssl rand -hex 24\", or take \
         token-file out of [admin])"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Everybody can read the file.
    #[error("the operator's token in {path} is open to others, mode {mode:o} (hint: chmod 600 {path})")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// What is there is no token.
    #[error("the operator's token in {place} is refused: {why} (hint: \"openssl rand -hex 24\" makes a good one)")]
    Unfit {
        /// The file or the variable.
        place: String,
        /// In words.
        why: String,
    },
}

impl TokenError {
    /// Whether it is only this user who may not read it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

/// Returns the operator's token as it is written, where there is one.
///
/// # Errors
/// [`TokenError`] where one is named and is of no use.
pub fn written(admin: &Admin) -> Result<Option<String>, TokenError> {
    if let Ok(written) = std::env::var(VARIABLE) {
        return fit(&written, || format!("the environment variable {VARIABLE}")).map(Some);
    }
    let Some(path) = &admin.token_file else { return Ok(None) };
    in_file(path).map(Some)
}

/// Returns the token in a file.
///
/// # Errors
/// As [`written`].
pub fn in_file(path: &Path) -> Result<String, TokenError> {
    let unreadable = |source| TokenError::Unreadable { path: path.to_owned(), source };
    // Opening a pipe would wait for whoever writes into it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.mode() & OTHERS != 0 {
        return Err(TokenError::Open { path: path.to_owned(), mode: about.mode() & 0o777 });
    }
    let mut written = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut written).map_err(unreadable)?;
    fit(&written, || path.display().to_string())
}

fn fit(written: &str, place: impl FnOnce() -> String) -> Result<String, TokenError> {
    match Token::new(written) {
        Ok(_) => Ok(written.trim().to_owned()),
        Err(why) => Err(TokenError::Unfit { place: place(), why }),
    }
}

/// Returns the token to compare with, where there is one.
///
/// # Errors
/// As [`written`].
pub(super) fn present(admin: &Admin) -> Result<Option<Token>, TokenError> {
    Ok(written(admin)?.and_then(|written| Token::new(&written).ok()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Goal: a file that others can read, or that holds no token, is refused with what to do. Method: one of each.
    #[test]
    fn a_file_that_is_no_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(in_file(&path).unwrap_err().to_string().contains("openssl rand"), "there is none");
        assert!(in_file(folder.path()).unwrap_err().to_string().contains("it is not a file"));
        for (text, mode, words) in [
            ("0123456789abcdef\n", 0o600, ""),
            ("0123456789abcdef\n", 0o640, ""),
            ("0123456789abcdef\n", 0o644, "open to others, mode 644 (hint: chmod 600"),
            ("0123456789abcdef\n", 0o602, "open to others, mode 602"),
            ("", 0o600, "is refused: it is empty"),
            ("short", 0o600, "has 5 characters, and 16 is the least"),
            (&"a".repeat(9000), 0o600, "longer than 1024"),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match in_file(&path) {
                Ok(token) => assert_eq!((words, token.as_str()), ("", "0123456789abcdef")),
                Err(error) => {
                    let told = error.to_string();
                    assert!(!words.is_empty() && told.contains(words) && !told.contains("0123456789"), "{told}");
                }
            }
        }
    }
}
