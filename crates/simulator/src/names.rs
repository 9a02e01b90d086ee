//! Invented usernames and display names, with every difficulty real ones have: emoji,
//! right-to-left text, quotes, commas, formula signs, great length.

use crate::dice::{Dice, mix};

const FIRST: [&str; 48] = [
    "amber", "birch", "brisk", "candor", "cedar", "cinder", "cobalt", "copper", "coral", "dapple",
    "dune", "ember", "fallow", "fern", "flint", "frost", "gravel", "hazel", "hollow", "indigo",
    "ivory", "juniper", "kelp", "larch", "linen", "lunar", "maple", "marble", "meadow", "misty",
    "mossy", "nimble", "ochre", "olive", "pebble", "plain", "quartz", "quiet", "rustic", "saffron",
    "sable", "slate", "sunny", "tidal", "umber", "velvet", "willow", "winter",
];

const SECOND: [&str; 48] = [
    "anchor", "atlas", "badger", "beacon", "bell", "bridge", "canal", "comet", "crane", "dial",
    "drum", "echo", "engine", "falcon", "ferry", "forge", "garden", "gull", "harbor", "heron",
    "hinge", "kettle", "kite", "ladder", "lamp", "lantern", "loom", "magpie", "mill", "notebook",
    "otter", "oven", "paddle", "pilot", "plum", "quill", "raven", "reef", "rocket", "sail",
    "spoon", "stove", "teapot", "tower", "violin", "wagon", "whale", "wren",
];

/// Handles of the first watched accounts; later ones are named like anyone else.
const FAMOUS: [&str; 24] = [
    "lantern_daily",
    "KettleAndCrane",
    "OrbitKitchen",
    "harbor_radio",
    "TheQuietAtlas",
    "MapleStadium",
    "tidepool_lab",
    "NightTramNews",
    "CopperChess",
    "velvet_engine",
    "FernAndFoundry",
    "paperkite_fm",
    "TheSlowRocket",
    "brightmeadowfc",
    "GullsOnGravel",
    "umber_museum",
    "TinyObservatory",
    "lighthouse_pod",
    "PlumTownCouncil",
    "saffron_stage",
    "WrenWeather",
    "hinge_magazine",
    "OtterRowingClub",
    "salt_and_solder",
];

const FOREIGN: [&str; 6] =
    ["נווה ירוק", "دفتر الريح", "کوه و مه", "小さな灯台", "Жёлтый трамвай", "느린 등대"];

/// Longest username the network allows, in characters.
const USERNAME_LEN_MAX: usize = 15;

/// The handle of the `rank`-th watched account.
pub(crate) fn famous(rank: usize) -> Option<&'static str> {
    FAMOUS.get(rank).copied()
}

/// A handle that matches `^[A-Za-z0-9_]{1,15}$`; the caller sees to it that it is unique.
pub(crate) fn username(dice: &mut Dice) -> String {
    let first = FIRST[dice.below(FIRST.len())];
    let second = SECOND[dice.below(SECOND.len())];
    let stem = match dice.below(4) {
        0 => format!("{first}_{second}"),
        1 => format!("{}{}", capital(first), capital(second)),
        2 => format!("{first}{second}"),
        _ => second.to_owned(),
    };
    let digits = dice.below(100_000).to_string();
    let room = USERNAME_LEN_MAX - digits.len();
    format!("{}{digits}", &stem[..stem.len().min(room)])
}

/// A display name for a handle; one in ten is a trial for whoever prints it.
pub(crate) fn display(seed: u64, username: &str) -> String {
    let hash = username.bytes().fold(seed, |hash, byte| mix(hash, u64::from(byte)));
    let first = capital(FIRST[below(hash >> 8, FIRST.len())]);
    let second = capital(SECOND[below(hash >> 24, SECOND.len())]);
    match hash % 100 {
        0 => format!("🌵 {first} 👩🏽‍🚀"),
        1 | 2 => FOREIGN[below(hash >> 40, FOREIGN.len())].to_owned(),
        3 => format!("{first} \"the {second}\", esq."),
        4 => format!("{second}, {first}"),
        5 => format!("=SUM({first})"),
        6 => format!("<b>{first}</b> & {second}"),
        7 => format!("{first} {second} of the Long Valley Beyond the Hills"),
        8 => format!("{first}\u{202e} {second}"),
        9 => "🪁".to_owned(),
        _ => format!("{first} {second}"),
    }
}

/// The display name of a watched account: its handle, spaced.
pub(crate) fn display_famous(username: &str) -> String {
    let mut name = String::new();
    for (at, letter) in username.char_indices() {
        match letter {
            '_' => name.push(' '),
            _ if letter.is_uppercase() && at > 0 => name.extend([' ', letter]),
            _ => name.push(letter),
        }
    }
    name
}

fn capital(word: &str) -> String {
    let (head, tail) = word.split_at(1);
    head.to_uppercase() + tail
}

fn below(hash: u64, len: usize) -> usize {
    usize::try_from(hash % len as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_fit_the_pattern() {
        let mut dice = Dice::new(1);
        let drawn = (0..5000).map(|_| username(&mut dice));
        for name in drawn.chain(FAMOUS.map(str::to_owned)) {
            assert!((1..=15).contains(&name.len()), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{name}");
        }
    }

    #[test]
    fn display_names_are_sometimes_hard_and_never_too_long() {
        let mut dice = Dice::new(1);
        let names: Vec<String> = (0..5000).map(|_| display(1, &username(&mut dice))).collect();
        assert!(names.iter().all(|name| name.chars().count() <= 50));
        for sign in ['"', ',', '=', '<', '🌵', 'ו'] {
            assert!(names.iter().any(|name| name.contains(sign)), "{sign}");
        }
    }
}
