//! Where a server is, as a person gives it.

use hyper::Uri;

/// Where Grafana is: `https://host:port/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    https: bool,
    host: String,
    port: u16,
    /// Without a slash at its end.
    path: String,
}

impl Address {
    /// Reads an address as a person gives it.
    pub fn read(text: &str) -> Result<Self, String> {
        let hint = "(hint: as in https://grafana.example.org or http://127.0.0.1:3000/grafana)";
        let uri: Uri = text.parse().map_err(|error| format!("not an address: {error} {hint}"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("it begins with neither http:// nor https:// {hint}")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err("it holds a name or password, which everybody on this machine could read".to_owned());
        }
        if uri.query().is_some() {
            return Err(format!("it holds a question mark {hint}"));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(format!("it names no host {hint}"));
        }
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Ok(Self { https, host, port, path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// Whether it is spoken to in private.
    #[must_use]
    pub fn https(&self) -> bool {
        self.https
    }

    /// Its name or its number.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path below which everything is, without a slash at its end.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether what is sent there can be read on its way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let here = self.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        !self.https && !here && self.host != "localhost"
    }

    /// Host and port as a request names them: without the port that everybody would take.
    #[must_use]
    pub fn called(&self) -> String {
        let authority = self.authority();
        let usual = if self.https { ":443" } else { ":80" };
        authority.strip_suffix(usual).map_or(authority.clone(), str::to_owned)
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", if self.https { "https" } else { "http" }, self.called(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_give_them() {
        for (text, shown, open) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", false),
            ("http://localhost:3000/", "http://localhost:3000", false),
            ("https://grafana.example.org/tv/", "https://grafana.example.org/tv", false),
            ("http://grafana.example.org:80", "http://grafana.example.org", true),
            ("https://[2001:db8::1]:3000", "https://[2001:db8::1]:3000", false),
        ] {
            let address = Address::read(text).unwrap();
            assert_eq!((address.to_string().as_str(), address.is_open()), (shown, open), "{text}");
        }
        for (text, words) in [
            ("grafana.example.org", "neither http:// nor https://"),
            ("ftp://a", "neither"),
            ("https://ann:secret@a", "name or password"),
            ("http://a/?orgId=1", "a question mark"),
            ("http://", "not an address"),
        ] {
            let told = Address::read(text).unwrap_err();
            assert!(told.contains(words) && !told.contains("secret"), "{text}: {told}");
        }
    }
}
