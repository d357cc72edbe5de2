//! A Grafana that is stricter than the real one: what it is sent must be exactly what its documentation names. It keeps
//! what it is given, and plays the faults that a test asks for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Tokens by what they may do.
pub(crate) const ADMIN: &str = "glsa_admin-000";
pub(crate) const EDITOR: &str = "glsa_editor-111";
pub(crate) const VIEWER: &str = "glsa_viewer-222";

/// All that a dashboard may hold.
const BOARD_FIELDS: [&str; 22] = [
    "annotations",
    "description",
    "editable",
    "fiscalYearStartMonth",
    "gnetId",
    "graphTooltip",
    "id",
    "links",
    "liveNow",
    "panels",
    "preload",
    "refresh",
    "schemaVersion",
    "style",
    "tags",
    "templating",
    "time",
    "timepicker",
    "timezone",
    "title",
    "uid",
    "version",
];
const WEEK_START: &str = "weekStart";

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// An answer to everything below a path.
    Answers(&'static str, u16, &'static str),
    /// A redirect of everything.
    Redirects(&'static str),
    /// Somebody saves each dashboard just before it is saved.
    SavedMeanwhile,
    /// The folder goes between being found and being used.
    FolderGone,
    /// Dashboards are brought up to date when they are read.
    Migrates,
    /// An answer that does not end soon.
    Floods,
    /// No answer.
    Silent,
}

/// A dashboard as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) json: Value,
    pub(crate) folder: String,
    pub(crate) version: i64,
    pub(crate) by: String,
    pub(crate) provisioned: bool,
    pub(crate) message: String,
}

/// What it knows.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Titles by uid.
    pub(crate) folders: BTreeMap<String, String>,
    pub(crate) boards: BTreeMap<String, Kept>,
    pub(crate) sources: Vec<Value>,
    /// Requests that write.
    pub(crate) writes: Vec<String>,
    /// What was not as documented.
    pub(crate) violations: Vec<String>,
    pub(crate) fault: Fault,
}

/// A running fake; ends when dropped.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    known: Arc<Mutex<Known>>,
    pub(crate) runtime: tokio::runtime::Runtime,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let known = Arc::new(Mutex::new(Known::default()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&known));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, known, runtime }
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.known().fault = fault;
    }

    /// What was written since it was asked last.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.known().writes)
    }
}

fn said(code: u16, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (StatusCode::from_u16(code).unwrap(), headers, body.to_string()).into_response()
}

fn refused(code: u16, message: &str) -> Response {
    said(code, &json!({"message": message}))
}

async fn answer(State(known): State<Arc<Mutex<Known>>>, request: Request) -> Response {
    let fault = known.lock().unwrap().fault.clone();
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let body = to_bytes(body, 4 << 20).await.unwrap();
    match fault {
        Fault::Silent => std::future::pending().await,
        Fault::Redirects(to) => return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Fault::Floods => return Body::from(vec![b' '; 9 << 20]).into_response(),
        Fault::Answers(below, code, body) if format!("{} {path}", head.method).starts_with(below) => {
            return (StatusCode::from_u16(code).unwrap(), body).into_response();
        }
        _ => {}
    }
    let mut known = known.lock().unwrap();
    let text = |name: header::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let token = text(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or("").to_owned();
    let writes = head.method == Method::POST;
    let agent = concat!("nightcast/", env!("CARGO_PKG_VERSION"));
    let facts = [
        (text(header::ACCEPT) == "application/json", "Accept"),
        (text(header::USER_AGENT) == agent, "User-Agent"),
        (!text(header::HOST).is_empty(), "Host"),
        ((text(header::CONTENT_TYPE) == "application/json") == writes, "Content-Type"),
        (body.is_empty() != writes, "the body"),
        (!writes || text(header::CONTENT_LENGTH) == body.len().to_string(), "Content-Length"),
    ];
    for (_, what) in facts.iter().filter(|(good, _)| !good) {
        known.violations.push(format!("{} {path}: {what} is wrong", head.method));
    }
    if path == "/api/health" {
        return said(200, &json!({"commit": "0", "database": "ok", "version": "11.2.0"}));
    }
    if ![ADMIN, EDITOR, VIEWER].contains(&&*token) {
        return refused(401, "Invalid API key");
    }
    if writes {
        known.writes.push(path.clone());
    }
    known.route(&head.method, &path, head.uri.query().unwrap_or(""), &token, &body)
}

impl Known {
    fn route(&mut self, method: &Method, path: &str, query: &str, token: &str, body: &Bytes) -> Response {
        let sent = serde_json::from_slice(body).unwrap_or_default();
        let uid = path.strip_prefix("/api/dashboards/uid/");
        match (method.as_str(), path, uid) {
            ("GET", "/api/folders", _) if query == "limit=1000" => {
                let all = self.folders.iter().enumerate();
                said(200, &all.map(|(id, (uid, title))| json!({"id": id, "uid": uid, "title": title})).collect())
            }
            ("GET", _, Some(uid)) if query.is_empty() => self.board(uid),
            ("GET", _, Some(rest)) if rest.ends_with("/versions") && query == "limit=1" => {
                let kept = self.boards.get(rest.trim_end_matches("/versions"));
                let newest = kept.map(|kept| json!({"version": kept.version, "message": kept.message}));
                said(200, &json!({"continueToken": "", "versions": newest.into_iter().collect::<Vec<_>>()}))
            }
            ("GET", "/api/datasources", _) if query.is_empty() && token == ADMIN => said(200, &json!(self.sources)),
            ("GET", "/api/datasources", _) => refused(403, "Permissions needed: datasources:read"),
            ("POST", "/api/folders" | "/api/dashboards/db", _) if token == VIEWER => {
                refused(403, "You'll need additional permissions to perform this action")
            }
            ("POST", "/api/datasources", _) if token != ADMIN => refused(403, "Permissions needed: datasources:create"),
            ("POST", "/api/folders", _) => self.make_folder(&sent),
            ("POST", "/api/datasources", _) => self.make_source(&sent),
            ("POST", "/api/dashboards/db", _) => self.save(&sent),
            _ => {
                self.violations.push(format!("{method} {path}?{query} is not known"));
                refused(404, "Not found")
            }
        }
    }

    /// Fields that are not documented, or are missing.
    fn fields(&mut self, what: &str, sent: &Value, needed: &[&str], allowed: &[&str]) -> bool {
        let Some(fields) = sent.as_object() else {
            self.violations.push(format!("{what}: is no object"));
            return false;
        };
        let strange = fields.keys().filter(|key| !needed.contains(&key.as_str()) && !allowed.contains(&key.as_str()));
        let missing = needed.iter().filter(|key| !fields.contains_key(**key));
        let before = self.violations.len();
        let broken: Vec<_> = strange.map(|key| format!("{what}: has {key}")).collect();
        self.violations.extend(broken);
        self.violations.extend(missing.map(|key| format!("{what}: has no {key}")));
        before == self.violations.len()
    }

    fn board(&self, uid: &str) -> Response {
        let Some(kept) = self.boards.get(uid) else { return refused(404, "Dashboard not found") };
        let title = self.folders.get(&kept.folder).map_or("General", String::as_str);
        let meta = json!({
            "type": "db", "canSave": true, "slug": "s", "url": format!("/d/{uid}/s"), "version": kept.version,
            "updatedBy": kept.by, "folderUid": kept.folder, "folderTitle": title, "provisioned": kept.provisioned,
        });
        let mut json = kept.json.clone();
        if matches!(self.fault, Fault::Migrates) {
            json["schemaVersion"] = 99.into();
        }
        said(200, &json!({"meta": meta, "dashboard": json}))
    }

    fn make_folder(&mut self, sent: &Value) -> Response {
        if !self.fields("a folder", sent, &["title"], &["uid"]) {
            return refused(400, "bad request data");
        }
        let title = sent["title"].as_str().unwrap_or_default().to_owned();
        let uid = sent["uid"].as_str().map_or_else(|| format!("made{}", self.folders.len()), str::to_owned);
        if self.folders.contains_key(&uid) || self.folders.values().any(|known| *known == title) {
            return refused(409, "a folder with the same name already exists in the current location");
        }
        self.folders.insert(uid.clone(), title.clone());
        said(200, &json!({"id": 1, "uid": uid, "title": title, "version": 1}))
    }

    fn make_source(&mut self, sent: &Value) -> Response {
        if !self.fields("a data source", sent, &["name", "type", "access", "url", "jsonData"], &["isDefault"]) {
            return refused(400, "bad request data");
        }
        if self.sources.iter().any(|known| known["name"] == sent["name"]) {
            return refused(409, "data source with the same name already exists");
        }
        self.sources.push(sent.clone());
        said(200, &json!({"id": 1, "name": sent["name"], "message": "Datasource added"}))
    }

    fn save(&mut self, sent: &Value) -> Response {
        let board = &sent["dashboard"];
        let needed = ["dashboard", "folderUid", "message", "overwrite"];
        let whole = self.fields("saving", sent, &needed, &[]);
        if !whole
            || !self.fields(
                "a dashboard",
                board,
                &["id", "uid", "title", "schemaVersion", "panels"],
                &[&BOARD_FIELDS[..], &[WEEK_START]].concat(),
            )
        {
            return refused(400, "bad request data");
        }
        if matches!(self.fault, Fault::FolderGone) {
            self.folders.clear();
        }
        let uid = board["uid"].as_str().unwrap_or_default().to_owned();
        let folder = sent["folderUid"].as_str().unwrap_or_default().to_owned();
        if !board["id"].is_null() || uid.is_empty() || uid.len() > 40 {
            self.violations.push(format!("a dashboard: id {} uid {uid:?}", board["id"]));
        }
        if !self.folders.contains_key(&folder) {
            return refused(404, "folder not found");
        }
        if matches!(self.fault, Fault::SavedMeanwhile)
            && let Some(kept) = self.boards.get_mut(&uid)
        {
            kept.version += 1;
        }
        let overwrite = sent["overwrite"] == true;
        let name = |kept: &Kept| kept.folder == folder && kept.json["title"] == board["title"];
        let other =
            self.boards.iter().find(|(known, kept)| **known != uid && name(kept)).map(|(known, _)| known.clone());
        let version = self.boards.get(&uid).map_or(0, |kept| kept.version);
        let conflict = |status: &str, message: &str| said(412, &json!({"status": status, "message": message}));
        if self.boards.get(&uid).is_some_and(|kept| kept.provisioned) {
            return refused(400, "Cannot save provisioned dashboard");
        }
        if version > 0 && !overwrite && board["version"] != version {
            return conflict("version-mismatch", "The dashboard has been changed by someone else");
        }
        if let Some(other) = other {
            if !overwrite {
                return conflict("name-exists", "A dashboard with the same name in the folder already exists");
            }
            self.boards.remove(&other);
        }
        let mut json = board.clone();
        // As Grafana does: the number and the version are its own.
        json["id"] = 77.into();
        json["version"] = (version + 1).into();
        let message = sent["message"].as_str().unwrap_or_default().to_owned();
        let by = "sa-nightcast".to_owned();
        let kept = Kept { json, folder, version: version + 1, by, provisioned: false, message };
        self.boards.insert(uid.clone(), kept);
        let url = format!("/d/{uid}/s");
        said(200, &json!({"id": 77, "uid": uid, "url": url, "status": "success", "version": version + 1, "slug": "s"}))
    }
}
