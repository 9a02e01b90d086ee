//! Look-ups: what became of members that vanished, asked by id, a hundred at a time.
//!
//! Answers go through the journal like pages, and any session that ends in order publishes
//! what it has as a run of look-ups alone: each of them stands for itself, so half of them
//! are no half-truth. What a session leaves behind that was killed, the next one publishes
//! with its own, and asks for nothing that is there already.
//!
//! Knows nothing of lists or losses, and judges nothing; that is for analysis.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use snapshot::{AccountId, MemberProfile, Outcome, Published, State, Store};

use crate::batch::{find, no_look_up};
use crate::budget::Budget;
use crate::journal::record::{Checked, Fate, Record, Session};
use crate::journal::{self, Journal, Journals};
use crate::price::Prices;
use crate::publish;
use crate::send::{Answered, Failed, Question, Retries, Sender};
use crate::source::{AccountRef, Detail, Lookup, Source, Who};
use crate::windows;
use crate::{Error, ErrorKind, Event, Progress, Stop};

/// Whom to look up, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LookUps {
    /// Whom. One that is there twice is looked up once.
    pub members: Vec<AccountId>,
    /// An answer younger than this, which a session that was cut off has left, will do.
    pub fresh_for: SignedDuration,
    /// How often a request is repeated that the network could not answer.
    pub retries: Retries,
    /// What this session may spend.
    pub budget: Budget,
    /// What the network charges.
    pub prices: Prices,
    /// How a person would go on with it.
    pub command: String,
    /// Kept in the manifest: how the run was made, without secrets.
    pub parameters: BTreeMap<String, String>,
}

impl LookUps {
    /// These, within no limits; what was answered in the last day is not asked for again.
    pub fn of(members: impl IntoIterator<Item = AccountId>) -> Self {
        Self {
            members: members.into_iter().collect(),
            fresh_for: SignedDuration::from_hours(24),
            retries: Retries::default(),
            budget: Budget::default(),
            prices: Prices::default(),
            command: "followgraph classify".to_owned(),
            parameters: BTreeMap::new(),
        }
    }
}

/// What came of look-ups.
#[derive(Debug)]
#[non_exhaustive]
pub struct LookUpReport {
    /// The run that holds the answers; `None` if there were none.
    pub published: Option<Published>,
    /// How many were answered in this session.
    pub answered: usize,
    /// How many were answered in a session that was cut off, and needed no request.
    pub kept: usize,
    /// Who was not looked up, because something stopped it.
    pub unanswered: Vec<AccountId>,
    /// Requests that this session sent, those that failed included.
    pub requests: u64,
    /// What this session cost, in millionths of a US dollar; `None` if there is no price.
    pub cost_micro_usd: Option<i64>,
    /// What stopped it before its end, if anything did.
    pub fatal: Option<Error>,
}

/// Looks members up by id, as each of these credentials allows, and publishes the answers as
/// a run without lists.
///
/// # Errors
/// If there is nobody to ask or nothing to ask with, or the store cannot be written to or is
/// in use. What goes wrong with the network is part of the report, and so is a stop.
pub async fn look_up(
    store: &Store,
    sources: &[Arc<dyn Source>],
    request: &LookUps,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<LookUpReport, Error> {
    let Some(source) = sources.first() else { return Err(Error::no_token()) };
    if let Some(other) = sources.iter().find(|other| other.to_string() != source.to_string()) {
        return Err(Error::usage(format!(
            "nobody can be looked up at {source} and {other} at once"
        )));
    }
    if request.members.is_empty() {
        return Err(Error::usage("there is nobody to look up"));
    }
    let journals = Journals::of(store);
    let _lock = journals.lock(&request.command)?;
    publish::clear_published(store, &journals)?;
    let journal = open(&journals, request, &**source)?;
    let sender = Sender::new(sources, request.budget, request.retries, progress, stop);
    windows::restore(&sender.pace, sources, &journals, &journal);
    let session = At { store, request, journal: &journal, sender: &sender };
    let asked = session.ask().await;
    windows::save(&sender.pace, sources, &journals);
    session.conclude(asked?).await
}

/// The network's time, as far as sessions in this store have heard of it: what is due is
/// decided by the clock that look-ups are timed by.
pub fn network_time(store: &Store) -> Timestamp {
    windows::now(&Journals::of(store))
}

/// Goes on with the journal of look-ups at this place, or begins one. There is one only,
/// whoever is asked for: an answer is of use to every later question.
fn open(journals: &Journals, request: &LookUps, source: &dyn Source) -> Result<Journal, Error> {
    let key = journal::job_key(["look-ups", source.base_url()]);
    match find(journals, &key)? {
        Some(name) => Ok(journals.resume(&name)?.0),
        None => journals.begin(&key, &request.command, source.now()),
    }
}

/// A session of look-ups.
struct At<'a> {
    store: &'a Store,
    request: &'a LookUps,
    journal: &'a Journal,
    sender: &'a Sender<'a>,
}

/// What a session has done.
struct Asked {
    answered: usize,
    kept: usize,
    unanswered: Vec<AccountId>,
    /// A request that could not be answered, however often it was sent.
    given_up: Option<Error>,
}

impl At<'_> {
    /// Asks until nobody is left or something stops it.
    async fn ask(&self) -> Result<Asked, Error> {
        let (mut left, kept) = self.left();
        let (of, mut answered) = (left.len(), 0);
        let mut given_up = None;
        while answered < of {
            let most = self.sender.network().profiles_max().min(of - answered);
            match self.ask_some(&left[answered..][..most]).await {
                Ok(()) => {}
                Err(Halt::Braked) => break,
                Err(Halt::Network(error)) => {
                    given_up = Some(error);
                    break;
                }
                Err(Halt::Own(error)) => return Err(error),
            }
            if answered == 0 {
                self.begin_session().await?;
            }
            answered += most;
            let spent = self.sender.purse.cost();
            self.sender.progress.event(&Event::Checked { done: answered, of, spent });
        }
        Ok(Asked { answered, kept, unanswered: left.split_off(answered), given_up })
    }

    /// Who is not in the journal, each once, and how many are.
    fn left(&self) -> (Vec<AccountId>, usize) {
        let (now, mut seen) = (self.sender.now(), HashSet::new());
        let members = self.request.members.iter().copied();
        let members: Vec<_> = members.filter(|member| seen.insert(*member)).collect();
        let is_fresh = |at: &Timestamp| now.duration_since(*at) < self.request.fresh_for;
        let (kept, left): (Vec<_>, Vec<_>) = self.journal.with(|state| {
            members.into_iter().partition(|member| state.checked.get(member).is_some_and(is_fresh))
        });
        (left, kept.len())
    }

    /// Said after the first answer, which has told how late it is there.
    async fn begin_session(&self) -> Result<(), Error> {
        let (at, here, pid) = (self.sender.now(), Timestamp::now(), std::process::id());
        self.journal.append(Record::Session(Session { at, here, pid, lists: 0 })).await
    }

    async fn ask_some(&self, members: &[AccountId]) -> Result<(), Halt> {
        let who = Who::Ids(members);
        let kind = self.sender.network().kind();
        let price = |users| self.request.prices.look_up(kind, users);
        let _room = self.journal.reserve(4096 + 256 * members.len() as u64).await?;
        let question = Question {
            call: who.call(),
            refused: &[],
            most: price(members.len() as u64).unwrap_or(0),
            each: price(1).unwrap_or(0),
        };
        let sources = self.sender.sources;
        let request = |credential: usize| sources[credential].profiles(who, Detail::Brief);
        let mut requests = 0;
        let sent = self.sender.send(question, &mut requests, &mut None, request).await;
        let (lookup, heard) = match sent {
            Ok(Answered { answer, heard }) => (answer, heard),
            Err(Failed::Target(state, _)) => match who.only() {
                Some(account) if state != State::NotAuthorized => {
                    (Lookup { absent: vec![(account, state)], ..Lookup::default() }, Vec::new())
                }
                _ => return Err(Halt::Network(no_look_up(self.sender.network(), state))),
            },
            Err(Failed::Braked) => return Err(Halt::Braked),
            Err(Failed::GivenUp(error)) => {
                let message = format!("{} cannot look anybody up", self.sender.network());
                let error = Error::new(ErrorKind::Network, message).because(error);
                return Err(Halt::Network(error.hint(GO_ON)));
            }
        };
        let answered_at = lookup.found.first().map(|member| member.profile.observed_at);
        let checked = Checked {
            at: answered_at.unwrap_or_else(|| self.sender.now()),
            source: self.sender.network().name().to_owned(),
            cost_micro_usd: price(lookup.found.len() as u64),
            fates: fates(members, lookup),
            requests,
            heard,
        };
        Ok(self.journal.append(Record::Checked(checked)).await?)
    }

    /// Publishes what there is, and reports.
    async fn conclude(&self, asked: Asked) -> Result<LookUpReport, Error> {
        let Asked { answered, kept, unanswered, given_up } = asked;
        let mut published = None;
        if self.journal.with(|state| state.checked.is_empty()) {
            self.journal.clone().remove()?;
        } else {
            let options = publish::Options::of_look_ups(self.request, self.sender.network());
            let (store, journal) = (self.store.clone(), self.journal.clone());
            let publish = move || publish::publish(&store, journal, options);
            let done = tokio::task::spawn_blocking(publish).await;
            let done =
                done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
            self.sender.progress.event(&Event::Published { run: done.run });
            published = Some(done);
        }
        // A wish to stop that came after the last answer has stopped nothing.
        let stopped = || self.sender.brake.take_error("stopped before everybody was looked up");
        let fatal = given_up.or_else(stopped).filter(|_| !unanswered.is_empty());
        let kind = self.sender.network().kind();
        let has_price = self.request.prices.look_up(kind, 1).is_some();
        Ok(LookUpReport {
            published,
            answered,
            kept,
            unanswered,
            requests: self.sender.purse.requests(),
            cost_micro_usd: has_price.then(|| self.sender.purse.cost()),
            fatal,
        })
    }
}

/// How to go on.
const GO_ON: &str = "run the same command again; nobody is looked up twice";

/// Why a session asks no more.
enum Halt {
    Braked,
    Network(Error),
    /// Nothing can be kept any more.
    Own(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

/// What an answer says of each of those asked for, in their order.
fn fates(members: &[AccountId], lookup: Lookup) -> Vec<Fate> {
    let found = lookup.found.into_iter().map(|MemberProfile { profile, .. }| {
        let hidden = profile.protected == Some(true);
        let outcome = if hidden { Outcome::Protected } else { Outcome::Visible };
        (profile.account, (outcome, profile.username))
    });
    let absent = lookup.absent.into_iter().filter_map(|(account, state)| match account {
        AccountRef::Id(id) => Some((id, (absence(state), None))),
        AccountRef::Name(_) => None,
    });
    // Whoever is shown is there, whatever else is said of it.
    let mut said: HashMap<_, _> = absent.chain(found).collect();
    let fate = |member: &AccountId| {
        let (outcome, username) = said.remove(member).unwrap_or((Outcome::NotShown, None));
        Fate { member: *member, outcome, username }
    };
    members.iter().map(fate).collect()
}

fn absence(state: State) -> Outcome {
    match state {
        State::Protected => Outcome::Protected,
        State::Suspended => Outcome::Suspended,
        State::Missing => Outcome::Missing,
        State::NotAuthorized | State::Read(_) => Outcome::NotShown,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use snapshot::{LookUp, Run};

    use super::*;
    use crate::canned::{Canned, DATE, Server, parameter};
    use crate::{Credential, Silent, SourceKind};

    fn ids(range: std::ops::Range<u32>) -> Vec<AccountId> {
        range.map(AccountId::from).collect()
    }

    fn request(range: std::ops::Range<u32>) -> LookUps {
        let mut request = LookUps::of(ids(range));
        let delay = Duration::from_millis(1);
        request.retries = Retries { times: 2, delay_min: delay, delay_max: delay };
        request
    }

    /// Whom a request asks for.
    fn asked(path: &str) -> Vec<String> {
        let name = if path.starts_with("/1.1/") { "user_id" } else { "ids" };
        let ids = parameter(path, name).unwrap().replace("%2C", ",");
        ids.split(',').map(str::to_owned).collect()
    }

    /// By the last digit: 3 is suspended, 4 missing, 5 passed over, 6 protected, others visible.
    fn answer(path: &str) -> Canned {
        let (mut data, mut errors) = (Vec::new(), Vec::new());
        let problem = |id: &str, title: &str| {
            format!(
                r#"{{"resource_id":"{id}","title":"{title}","type":"https://api.x.com/2/problems/resource-not-found"}}"#
            )
        };
        for id in asked(path) {
            match id.chars().last().unwrap() {
                '3' => errors.push(problem(&id, "Forbidden")),
                '4' => errors.push(problem(&id, "Not Found Error")),
                '5' => {}
                '6' => data.push(format!(r#"{{"id":"{id}","protected":true}}"#)),
                _ => data.push(format!(r#"{{"id":"{id}","username":"u{id}"}}"#)),
            }
        }
        let (data, errors) = (data.join(","), errors.join(","));
        Canned::new(200, format!(r#"{{"data":[{data}],"errors":[{errors}]}}"#))
    }

    /// What any of these asked for, each id as often as it was.
    fn all_asked(server: &Server) -> Vec<String> {
        server.paths().iter().flat_map(|path| asked(path)).collect()
    }

    struct Place {
        _folder: tempfile::TempDir,
        store: Store,
        stop: Stop,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::create(folder.path()).unwrap();
            Self { _folder: folder, store, stop: Stop::new() }
        }

        async fn look_up(&self, server: &Server, request: &LookUps) -> LookUpReport {
            let source = SourceKind::XV2.connect(&server.url, Credential::of_test()).unwrap();
            look_up(&self.store, &[source], request, &Silent, &self.stop).await.unwrap()
        }

        fn runs(&self) -> Vec<Run> {
            self.store.runs().unwrap()
        }

        fn look_ups(&self) -> Vec<LookUp> {
            self.runs().iter().flat_map(|run| run.look_ups().unwrap()).collect()
        }

        fn journals(&self) -> Vec<String> {
            Journals::of(&self.store).names().unwrap()
        }
    }

    #[tokio::test]
    async fn each_answer_is_told_apart_and_published() {
        let server = Server::start(answer).await;
        let place = Place::new();
        let report = place.look_up(&server, &request(1..8)).await;
        assert_eq!((report.answered, report.kept, report.requests), (7, 0, 1));
        assert!(report.unanswered.is_empty() && report.fatal.is_none());
        // Four of them were shown, and are charged for.
        assert_eq!(report.cost_micro_usd, Some(40_000));
        let found = place.look_ups();
        let outcomes: Vec<_> = found.iter().map(|l| l.outcome.name()).collect();
        let expected =
            ["visible", "visible", "suspended", "missing", "not_shown", "protected", "visible"];
        assert_eq!(outcomes, expected);
        assert!(found.iter().all(|l| l.source == "x_v2" && l.looked_up_at.as_second() == DATE));
        assert_eq!(found[0].username.as_deref(), Some("u1"));
        let runs = place.runs();
        let manifest = runs[0].manifest();
        assert!(!manifest.has_lists() && manifest.look_ups() == 7);
        let kept = &manifest.parameters;
        let kept = ["sessions", "look_up_requests", "cost_micro_usd"].map(|key| kept[key].as_str());
        assert_eq!(kept, ["1", "1", "40000"]);
        assert_eq!(runs[0].verify().faults, []);
        assert!(place.journals().is_empty());
    }

    #[tokio::test]
    async fn v1_passes_over_whom_it_does_not_show() {
        let server = Server::start(|path| match asked(path).as_slice() {
            [_] => Canned::new(404, r#"{"errors":[{"code":17,"message":"No user matches."}]}"#),
            _ => Canned::new(200, r#"[{"id_str":"1","screen_name":"u1"},{"id_str":"9"}]"#),
        })
        .await;
        let place = Place::new();
        let source = SourceKind::XV1.connect(&server.url, Credential::of_test()).unwrap();
        for members in [1..3, 3..4] {
            let request = request(members);
            let sources = [Arc::clone(&source)];
            let report = look_up(&place.store, &sources, &request, &Silent, &place.stop).await;
            assert_eq!(report.unwrap().cost_micro_usd, None);
        }
        let found = place.look_ups();
        let shown: Vec<_> = found.iter().map(|l| (l.member.get(), l.outcome.name())).collect();
        assert_eq!(shown, [(1, "visible"), (2, "not_shown"), (3, "not_shown")]);
    }

    #[tokio::test]
    async fn a_hundred_are_asked_for_at_once_and_each_once() {
        let server = Server::start(answer).await;
        let place = Place::new();
        let mut request = request(0..250);
        request.members.extend(ids(0..20));
        let report = place.look_up(&server, &request).await;
        assert_eq!((report.answered, report.requests), (250, 3));
        let asked = all_asked(&server);
        assert_eq!(asked.len(), 250);
        assert!(server.paths().iter().all(|path| self::asked(path).len() <= 100));
        assert_eq!(place.look_ups().len(), 250);
    }

    #[tokio::test]
    async fn a_budget_stops_it_and_what_was_answered_can_be_seen() {
        let server = Server::start(answer).await;
        let place = Place::new();
        let mut request = request(0..250);
        request.budget.requests_max = Some(1);
        let report = place.look_up(&server, &request).await;
        assert_eq!((report.answered, report.unanswered.len()), (100, 150));
        assert_eq!(report.fatal.unwrap().kind(), ErrorKind::Incomplete);
        assert_eq!(place.look_ups().len(), 100);
        // A hundred may cost a dollar.
        request.members = report.unanswered;
        request.budget = Budget::default();
        request.budget.cost_micro_usd_max = Some(999_999);
        let report = place.look_up(&server, &request).await;
        assert_eq!((report.answered, report.requests), (0, 0));
        assert!(report.published.is_none() && report.fatal.is_some());
        assert!(place.journals().is_empty(), "nothing was bought");
        request.budget.cost_micro_usd_max = Some(2_000_000);
        assert!(place.look_up(&server, &request).await.fatal.is_none());
        let asked: HashSet<_> = all_asked(&server).into_iter().collect();
        assert_eq!((asked.len(), server.paths().len()), (250, 3));
    }

    #[tokio::test]
    async fn a_refused_token_keeps_what_it_had_brought() {
        let server = Server::start(|path| {
            if asked(path).contains(&"100".to_owned()) {
                return Canned::new(401, r#"{"errors":[{"code":89,"message":"expired"}]}"#);
            }
            answer(path)
        })
        .await;
        let place = Place::new();
        let report = place.look_up(&server, &request(0..150)).await;
        assert_eq!((report.answered, report.unanswered.len()), (100, 50));
        assert_eq!(report.fatal.unwrap().kind(), ErrorKind::Credentials);
        assert_eq!(place.look_ups().len(), 100);
    }

    #[tokio::test]
    async fn where_one_credential_is_refused_another_goes_on() {
        let refused = Canned::new(401, r#"{"errors":[{"code":89,"message":"expired"}]}"#);
        let found = Canned::new(200, r#"{"data":[{"id":"1"},{"id":"2"}]}"#);
        let server = Server::in_turn([refused, found]).await;
        let place = Place::new();
        let connect = |token| {
            let token = crate::Token::new(token).unwrap();
            SourceKind::XV2.connect(&server.url, Credential::bearer(token)).unwrap()
        };
        let sources = ["one", "another"].map(connect);
        let report = look_up(&place.store, &sources, &request(1..3), &Silent, &place.stop).await;
        let report = report.unwrap();
        assert_eq!((report.answered, report.requests), (2, 2));
        assert!(report.fatal.is_none() && place.look_ups().len() == 2);
    }

    #[tokio::test]
    async fn a_stop_before_the_first_request_leaves_nothing() {
        let server = Server::start(answer).await;
        let place = Place::new();
        place.stop.request();
        let report = place.look_up(&server, &request(0..3)).await;
        assert_eq!((report.answered, report.unanswered.len()), (0, 3));
        assert_eq!(report.fatal.unwrap().kind(), ErrorKind::Incomplete);
        assert!(
            server.paths().is_empty() && place.runs().is_empty() && place.journals().is_empty()
        );
    }

    #[tokio::test]
    async fn a_network_that_does_not_answer_is_no_answer() {
        let server = Server::start(|_| Canned::new(503, "")).await;
        let place = Place::new();
        let report = place.look_up(&server, &request(0..3)).await;
        assert_eq!((report.unanswered.len(), report.requests), (3, 3));
        assert_eq!(report.fatal.unwrap().kind(), ErrorKind::Network);
        assert!(place.runs().is_empty() && place.journals().is_empty());
    }

    #[tokio::test]
    async fn a_refusal_of_all_says_nothing_of_any() {
        let server = Server::start(|_| Canned::new(404, "")).await;
        let place = Place::new();
        let report = place.look_up(&server, &request(0..3)).await;
        assert!(report.fatal.is_some() && place.look_ups().is_empty());
    }

    /// What a killed process leaves is what one leaves whose future is dropped.
    #[tokio::test]
    async fn what_a_killed_session_has_bought_is_not_bought_again() {
        let server = Server::start(|path| match asked(path)[0].as_str() {
            "200" => Canned::new(200, "{}").given(crate::canned::Manner::Stall),
            _ => answer(path),
        })
        .await;
        let place = Place::new();
        let request = request(0..250);
        let killed = place.look_up(&server, &request);
        assert!(tokio::time::timeout(Duration::from_secs(1), killed).await.is_err());
        assert!(place.runs().is_empty() && place.journals().len() == 1);
        let well = Server::start(answer).await;
        // The journal belongs to the place it was begun at; this one stands in for it.
        let journals = Journals::of(&place.store);
        let state = journals.state(&place.journals()[0]).unwrap().unwrap();
        assert_eq!(state.checked.len(), 200);
        let others = place.look_up(&well, &self::request(0..1)).await;
        assert_eq!((others.answered, others.kept), (1, 0), "another place has its own");
        let mut one = self::request(0..150);
        let report = place.look_up(&server, &one).await;
        assert_eq!((report.answered, report.kept, report.requests), (0, 150, 0));
        // All that was bought is there, whoever asks.
        assert_eq!(place.look_ups().len(), 201);
        assert!(place.journals().is_empty());
        one.members = ids(0..1);
        assert_eq!(place.look_up(&server, &one).await.answered, 1, "who asks anew gets anew");
    }

    #[tokio::test]
    async fn an_old_answer_in_a_journal_will_not_do() {
        let server = Server::start(|path| match asked(path)[0].as_str() {
            "100" => Canned::new(200, "{}").given(crate::canned::Manner::Stall),
            _ => answer(path),
        })
        .await;
        let place = Place::new();
        let mut request = request(0..110);
        let killed = place.look_up(&server, &request);
        assert!(tokio::time::timeout(Duration::from_secs(1), killed).await.is_err());
        request.members = ids(0..2);
        request.fresh_for = SignedDuration::ZERO;
        let report = place.look_up(&server, &request).await;
        assert_eq!((report.answered, report.kept), (2, 0));
        assert_eq!(place.look_ups().len(), 102, "both answers are kept");
    }

    #[tokio::test]
    async fn with_nobody_to_ask_or_nothing_to_ask_with_nothing_begins() {
        let place = Place::new();
        let nobody = look_up(&place.store, &[], &request(0..3), &Silent, &place.stop).await;
        assert_eq!(nobody.unwrap_err().kind(), ErrorKind::Credentials);
        let server = Server::start(answer).await;
        let source = SourceKind::XV2.connect(&server.url, Credential::of_test()).unwrap();
        let nothing = look_up(&place.store, &[source], &request(0..0), &Silent, &place.stop).await;
        assert_eq!(nothing.unwrap_err().kind(), ErrorKind::Usage);
        assert!(server.paths().is_empty() && place.journals().is_empty());
    }
}
