//! Reads the pipes of children to their ends, so that no child waits for us.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use super::child::Tail;

/// Hands on the lines of a pipe until it ends; it is read to its end, whether somebody listens or not.
pub(super) async fn forward_lines(pipe: impl AsyncRead + Unpin, sender: mpsc::Sender<String>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if sender.send(line).await.is_err() {
            // Nobody listens any more: go on reading, or the full pipe stops the child.
            while let Ok(Some(_)) = lines.next_line().await {}
        }
    }
}

/// Reads a pipe to its end by chunks, so that a line without an end cannot grow without bound.
pub(super) async fn drain(mut pipe: impl AsyncRead + Unpin) -> Tail {
    let mut tail = Tail::default();
    let mut line = Vec::new();
    let mut chunk = vec![0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        for &byte in &chunk[..read] {
            if matches!(byte, b'\n' | b'\r') {
                if !line.is_empty() {
                    tail.push(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            } else if line.len() < 4 * Tail::LINE_LEN_MAX {
                line.push(byte);
            }
        }
    }
    if !line.is_empty() {
        tail.push(&String::from_utf8_lossy(&line));
    }
    tail
}
