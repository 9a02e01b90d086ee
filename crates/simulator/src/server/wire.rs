//! How a body goes into the connection: whole, in pieces, or not to its end.
//!
//! A body knows when its last byte was handed over, and says so once. That moment comes
//! before the client can have read it, so whoever got an answer finds it counted.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use super::faults::Wire;

/// Time for what was sent to leave before the connection is cut.
const FLUSH: Duration = Duration::from_millis(15);

/// What happens when the last byte was handed over.
pub(super) type Receipt = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
enum Step {
    Send(Bytes),
    Wait(Duration),
    Cut,
}

pub(super) struct Parcel {
    steps: VecDeque<Step>,
    promised: u64,
    waiting: Option<Pin<Box<Sleep>>>,
    receipt: Option<Receipt>,
}

impl Parcel {
    /// A body of these bytes, as far as `wire` lets them through.
    ///
    /// Only a body that gets through whole keeps its receipt.
    pub(super) fn new(body: Vec<u8>, wire: Wire, receipt: Receipt) -> Self {
        let body = Bytes::from(body);
        let promised = body.len() as u64;
        let part = |keep: usize| body.slice(..keep.min(body.len().saturating_sub(1)));
        let (steps, whole) = match wire {
            Wire::Whole => (vec![Step::Send(body)], true),
            Wire::BadGzip | Wire::HalfJson => (vec![Step::Send(body)], false),
            Wire::Lost => (vec![Step::Cut], false),
            Wire::Truncated { keep } => {
                (vec![Step::Send(part(keep)), Step::Wait(FLUSH), Step::Cut], false)
            }
            Wire::Stalled { keep, hold } => {
                (vec![Step::Send(part(keep)), Step::Wait(hold.max(FLUSH)), Step::Cut], false)
            }
            Wire::Drip { pieces, pause } => (drip(&body, pieces, pause), true),
        };
        let mut steps = VecDeque::from(steps);
        steps.retain(|step| !matches!(step, Step::Send(bytes) if bytes.is_empty()));
        let mut parcel = Self { steps, promised, waiting: None, receipt: whole.then_some(receipt) };
        if parcel.steps.is_empty() {
            // Nothing will be asked of an empty body.
            parcel.sign();
        }
        parcel
    }

    /// A connection that ends before the head was sent.
    pub(super) fn cut() -> Self {
        Self { steps: [Step::Cut].into(), promised: 1, waiting: None, receipt: None }
    }

    fn sign(&mut self) {
        if let Some(receipt) = self.receipt.take() {
            receipt();
        }
    }
}

fn drip(body: &Bytes, pieces: usize, pause: Duration) -> Vec<Step> {
    let size = body.len().div_ceil(pieces.max(1)).max(1);
    let starts = (0..body.len()).step_by(size);
    let piece = |start: usize| body.slice(start..body.len().min(start + size));
    starts.flat_map(|start| [Step::Wait(pause), Step::Send(piece(start))]).collect()
}

impl http_body::Body for Parcel {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                if waiting.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Wait(pause)) => self.waiting = Some(Box::pin(tokio::time::sleep(pause))),
                Some(Step::Cut) => {
                    return Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())));
                }
                Some(Step::Send(bytes)) => {
                    if self.steps.is_empty() {
                        self.sign();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let sent_last = self.steps.is_empty();
        SizeHint::with_exact(if sent_last { 0 } else { self.promised })
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("promised", &self.promised).finish_non_exhaustive()
    }
}
