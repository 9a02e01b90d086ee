//! The parts of a profile nobody needs to store: derived from the id, the same every time.

use jiff::Timestamp;

use crate::clock::timestamp;
use crate::dice::mix;
use crate::user::User;

const PLACES: [&str; 8] = [
    "Lower Harbour",
    "Nordvik",
    "somewhere, mostly",
    "Puerto Lindo",
    "🌍",
    "Three Wells",
    "Osaka-ish",
    "the \"old\" mill",
];

const PURSUITS: [&str; 10] = [
    "mends clocks",
    "paints tin boats",
    "counts birds",
    "bakes on Sundays",
    "plays chess badly",
    "rides night trams",
    "grows plums",
    "repairs radios",
    "maps canals",
    "reads old almanacs",
];

const TAGS: [&str; 6] = ["kites", "harbours", "slowfood", "tramlife", "chess", "observatory"];

/// What a profile shows beyond the stored fields.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) pursuit: &'static str,
    /// A hashtag in the bio, without its sign.
    pub(crate) tag: Option<&'static str>,
    pub(crate) location: Option<&'static str>,
    /// A link as shortened by the network, and where it leads.
    pub(crate) link: Option<(String, String)>,
    pub(crate) verified: bool,
    pub(crate) withheld: bool,
    pub(crate) posts: u64,
    pub(crate) listed: u64,
    pub(crate) pinned: Option<Post>,
}

/// A pinned post.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) created_at: Timestamp,
}

impl Profile {
    pub(crate) fn of(user: &User) -> Self {
        let hash = mix(user.id.unsigned_abs(), 0x70_72_6f_66);
        let roll = |which: u64, sides: u64| mix(hash, which) % sides;
        Self {
            pursuit: choose(&PURSUITS, roll(1, 1 << 32)),
            tag: (roll(2, 3) == 0).then(|| choose(&TAGS, roll(3, 1 << 32))),
            location: (roll(4, 2) == 0).then(|| choose(&PLACES, roll(5, 1 << 32))),
            link: (roll(6, 4) == 0).then(|| {
                let short = format!("https://t.example/{:08x}", roll(7, 1 << 32));
                (short, format!("https://{}.example/", user.username.to_ascii_lowercase()))
            }),
            verified: roll(8, 60) == 0,
            withheld: roll(9, 500) == 0,
            // Squared, so that few post a lot.
            posts: roll(10, 200) * roll(11, 200),
            listed: roll(12, 20) * roll(13, 20) / 19,
            pinned: (roll(14, 5) == 0).then(|| Post::pinned(user, hash)),
        }
    }

    /// The bio.
    pub(crate) fn description(&self) -> String {
        match self.tag {
            Some(tag) => format!("{} #{tag}", self.pursuit),
            None => self.pursuit.to_owned(),
        }
    }
}

impl Post {
    fn pinned(user: &User, hash: u64) -> Self {
        let minutes = i64::try_from(hash % 28).unwrap_or(0);
        let created_ms = user.created_at.as_millisecond() + minutes * 60_000;
        let text = format!("Hello from {}, who {}", user.name, choose(&PURSUITS, hash >> 7));
        // Positive in 64 signed bits, like all ids.
        Self { id: mix(hash, 15) >> 2, text, created_at: timestamp(created_ms) }
    }
}

fn choose(from: &'static [&'static str], hash: u64) -> &'static str {
    from[usize::try_from(hash % from.len() as u64).unwrap_or(0)]
}
