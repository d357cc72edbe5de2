//! nginx with the same bytes: the Debian package, in a folder of its own, tuned as for this work.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::process;

/// How long it may take to answer for the first time, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Its configuration. As many workers as the station has threads; kept connections; bytes from the page cache by sendfile,
/// head and body in one packet; nothing written down.
const CONFIGURATION: &str = "\
daemon off;
worker_processes WORKERS;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 16384; multi_accept on; }
http {
  access_log off;
  gzip_static on;
  gzip_vary on;
  sendfile on;
  sendfile_max_chunk 2m;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 75;
  keepalive_requests 1000000000;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
  server {
    listen 127.0.0.1:PORT backlog=4096 reuseport;
    root FOLDER/files;
    etag on;
    add_header Cache-Control \"public, max-age=1\";
    add_header Access-Control-Allow-Origin *;
  }
}
";

/// A running nginx; ended when dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    address: String,
}

impl Nginx {
    /// Starts it on the files in `files` of a folder.
    pub(crate) fn start(folder: &Path, workers: usize) -> Result<Self> {
        fs::create_dir_all(folder.join("files"))?;
        // Its workers run as another user and must read what they serve.
        open(folder)?;
        open(&folder.join("files"))?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder_text = folder.to_str().context("the folder's path is not UTF-8")?;
        let text = CONFIGURATION
            .replace("WORKERS", &workers.to_string())
            .replace("PORT", &port.to_string())
            .replace("FOLDER", folder_text);
        fs::write(folder.join("nginx.conf"), text)?;
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists());
        let program = program.context("nginx is missing (hint: scripts/machine.sh bench)")?;
        // As the station does it: the limit of open files is raised as far as it may be.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\"", program]);
        command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("nginx could not be started")?;
        let mut nginx = Self { child, address: format!("127.0.0.1:{port}") };
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(&nginx.address).is_err() {
            if let Some(status) = nginx.child.try_wait()? {
                bail!("nginx ended: {status}");
            }
            if Instant::now() > deadline {
                bail!("nginx does not answer");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(nginx)
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the CPU time of all its processes so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut all = process::cpu(self.child.id())?.own;
        for (worker, _) in process::children(self.child.id())? {
            all += process::cpu(worker)?.own;
        }
        Ok(all)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it when it is asked, not when it is killed.
        let _told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        if !matches!(process::wait_until(&mut self.child, Instant::now() + PATIENCE), Ok(Some(_))) {
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }
}

/// Lets everybody read a folder.
fn open(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?)
}
