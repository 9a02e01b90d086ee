//! A tiny server of canned answers on loopback, for tests of what goes over the wire.
//!
//! Knows just enough HTTP for one client: each connection serves one request and is closed,
//! unless the answer is one that [goes wrong](Manner).

use std::collections::VecDeque;
use std::fmt::{Display, Write as _};
use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Canned {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
}

/// How an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should be.
    Whole,
    /// Half of it, and then nothing for ever.
    Stall,
    /// Half of it, and then the connection is reset.
    Reset,
    /// A byte now and then.
    Drip(std::time::Duration),
    /// As it should be, with the promise to keep the connection; what comes over it later
    /// is not heard.
    GoDeaf,
}

impl Canned {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: Vec::new(), body, manner: Manner::Whole }
            .with("date", "Tue, 24 Nov 2026 06:36:57 UTC")
            .with("content-type", "application/json")
    }

    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn given(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// Rate headers; the reset is `after` seconds after the server's `Date`.
    pub(crate) fn window(self, remaining: u32, after: i64) -> Self {
        self.with("x-rate-limit-limit", 15)
            .with("x-rate-limit-remaining", remaining)
            .with("x-rate-limit-reset", DATE + after)
    }

    pub(crate) fn gzip(mut self) -> Self {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut packed, &self.body).unwrap();
        self.body = packed.finish().unwrap();
        self.with("content-encoding", "gzip")
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Canned\r\n", self.status);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "content-length: {}\r\n", self.body.len()).unwrap();
        let after = if self.manner == Manner::GoDeaf { "keep-alive" } else { "close" };
        write!(head, "connection: {after}\r\n\r\n").unwrap();
        [head.as_bytes(), &self.body].concat()
    }
}

/// What the `Date` header of every answer says, in Unix seconds.
pub(crate) const DATE: i64 = 1_795_502_217;

/// What decides the answer to a request, which is given by its path and query.
type Answers = dyn Fn(&str) -> Canned + Send + Sync;

/// A server that lives as long as the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers every request as `answers` says.
    pub(crate) async fn start(answers: impl Fn(&str) -> Canned + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, heard): (Arc<Answers>, _) = (Arc::new(answers), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&heard)));
            }
        });
        Self { url, requests }
    }

    /// Gives these answers in this order, whatever is asked.
    pub(crate) async fn in_turn(answers: impl IntoIterator<Item = Canned>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::start(move |_| {
            let next = answers.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Canned::new(400, "there is no answer left"))
        })
        .await
    }

    /// Every request so far, with what was posted.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Path and query of every request so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.requests().iter().map(|head| path(head).to_owned()).collect()
    }
}

fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

async fn serve(mut stream: TcpStream, answers: Arc<Answers>, heard: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let mut head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut posted = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut posted).await.is_err() {
        return;
    }
    let canned = answers(path(&head));
    let answer = canned.to_bytes();
    head.push_str(&String::from_utf8(posted).unwrap());
    heard.lock().unwrap().push(head);
    // The client may have gone, as tests of stopping do.
    let half = answer.len() - canned.body.len() / 2;
    match canned.manner {
        Manner::Whole => drop(stream.write_all(&answer).await),
        Manner::GoDeaf => {
            let _ = stream.write_all(&answer).await;
            std::future::pending::<()>().await;
        }
        Manner::Stall => {
            let _ = stream.write_all(&answer[..half]).await;
            std::future::pending::<()>().await;
        }
        Manner::Reset => {
            let _ = stream.write_all(&answer[..half]).await;
            // Closing with nothing to linger for resets the connection.
            let _ = stream.set_zero_linger();
        }
        Manner::Drip(pause) => {
            for byte in answer {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// The value of a parameter in a path with a query.
pub(crate) fn parameter<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let query = path.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
