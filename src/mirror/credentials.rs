//! The keys of a store, from the text of a file as the programs of such stores write it. Pure.

use std::fmt;

/// The longest key or token that is believed to be one, in bytes: Amazon's session tokens have some 1000.
const VALUE_LEN_MAX: usize = 4096;

/// The keys of a store.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who we are.
    pub key_id: String,
    /// The secret.
    pub secret: String,
    /// What belongs to keys that are lent for a while.
    pub token: Option<String>,
}

/// Without the secrets: this may reach a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the text of a file: `aws_access_key_id = …` and `aws_secret_access_key = …`, below `[default]` or no header.
    ///
    /// # Errors
    /// What is missing or not understood, with the number of its line; never the line itself, which may hold a secret.
    pub fn read(text: &str) -> Result<Self, String> {
        let (mut key_id, mut secret, mut token) = (None, None, None);
        let mut ours = true;
        for (n, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                ours = header.trim() == "default";
                continue;
            }
            if !ours {
                continue;
            }
            let (key, value) = line.split_once('=').ok_or_else(|| format!("line {n} is not \"key = value\""))?;
            let value = value.trim().trim_matches('"');
            let slot = match key.trim().to_ascii_lowercase().as_str() {
                "aws_access_key_id" => &mut key_id,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" => &mut token,
                // Such files hold more: regions, endpoints.
                _ => continue,
            };
            let fits =
                !value.is_empty() && value.len() <= VALUE_LEN_MAX && value.bytes().all(|byte| byte.is_ascii_graphic());
            *slot = Some(fits.then(|| value.to_owned()).ok_or_else(|| format!("the value on line {n} is no key"))?);
        }
        let missing = |key| format!("there is no {key} in it");
        let key_id = key_id.ok_or_else(|| missing("aws_access_key_id"))?;
        Ok(Self { key_id, secret: secret.ok_or_else(|| missing("aws_secret_access_key"))?, token })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goal: files as people have them are read, and what is wrong is told without the secret. Method: a table.
    #[test]
    fn files_as_people_have_them_are_read() {
        let keys = "aws_access_key_id = AKIA\naws_secret_access_key=s3cr/et+\n";
        for (text, token) in [
            (keys.to_owned(), None),
            (format!("# mine\n[default]\nregion = x\n{keys}"), None),
            (
                format!("[other]\naws_access_key_id = no\nnonsense\n[default]\n{keys}aws_session_token = \"t\"\n"),
                Some("t"),
            ),
        ] {
            let read = Credentials::read(&text).unwrap();
            assert_eq!((&*read.key_id, &*read.secret, read.token.as_deref()), ("AKIA", "s3cr/et+", token), "{text}");
            assert!(!format!("{read:?}").contains("s3cr"), "the secret is not shown");
        }
        for (text, words) in [
            ("", "there is no aws_access_key_id in it"),
            ("aws_access_key_id = AKIA", "there is no aws_secret_access_key in it"),
            ("[work]\naws_access_key_id = AKIA\naws_secret_access_key = s3cret", "there is no aws_access_key_id"),
            ("s3cret", "line 1 is not"),
            ("\naws_access_key_id =", "the value on line 2 is no key"),
            ("aws_access_key_id = a b s3cret", "the value on line 1 is no key"),
        ] {
            let told = Credentials::read(text).unwrap_err();
            assert!(told.contains(words) && !told.contains("s3cret"), "{text}: {told}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "(aws_access_key_id|aws_secret_access_key|[\\[\\]=#\n ]|.){0,60}") {
            let _ = Credentials::read(&text);
        }
    }
}
