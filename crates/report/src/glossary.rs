//! How every number of a report is counted. Headings link here.

/// A term: its anchor, its name, and its definition.
pub(crate) struct Term {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

const fn term(id: &'static str, name: &'static str, text: &'static str) -> Term {
    Term { id, name, text }
}

/// All terms, in reading order.
pub(crate) const TERMS: [Term; 30] = [
    term(
        "opening",
        "Opening and closing",
        "How many members the list had in the earlier and in the later run, as far as each was read. Of several lists the sum: a member of two lists counts twice.",
    ),
    term(
        "gained",
        "Gained",
        "Members of the later run who are absent where the earlier run looked. They began to follow after the earlier run began.",
    ),
    term(
        "new",
        "New",
        "Of the gained, those who followed for the first time, as far as the order of both lists tells. Where it does not, gained is not divided.",
    ),
    term(
        "returned",
        "Returned",
        "Of the gained, those who had followed before and were hidden (suspended, deactivated, locked) when the earlier run looked: they are back in their old places of the list.",
    ),
    term(
        "lost",
        "Lost",
        "Members of the earlier run who are absent where the later run looked. Lost means gone from the list: unfollowed, suspended and deactivated look the same there.",
    ),
    term(
        "moved",
        "Moved",
        "Members of both runs who left in between and followed anew, as the order of the lists tells. They are neither gained nor lost.",
    ),
    term(
        "unknown",
        "Unknown",
        "Members of one run outside what the other run read. They may have been there, or not: they are neither gained nor lost.",
    ),
    term(
        "net",
        "Net",
        "Gained − lost. Where nothing is unknown, it is also closing − opening; else closing − opening = net + unknown later − unknown earlier.",
    ),
    term("growth", "Growth", "Net ÷ opening."),
    term("churn", "Churn", "Lost ÷ opening: the share of the opening that left."),
    term(
        "coverage",
        "Coverage",
        "How much of a list was read: complete (to its end), head (the newest members only, on purpose), cut short (something stopped it), or none (protected, suspended, missing). Absence counts only where a run looked.",
    ),
    term(
        "counter",
        "Counter and shortfall",
        "The profile’s own counter at the time, and by how many it exceeds the ids that a complete list showed. Networks count accounts that they do not show, and people come and go while a list is read.",
    ),
    term(
        "cost",
        "Cost",
        "What the network charges for the users in its answers, by the price of the time; reckoned, not billed.",
    ),
    term(
        "fate",
        "What became of the lost",
        "Unfollowed: the account is there, so it left or was removed. Suspended: by the network. Deactivated: there is no such account any more. Protected: it is there and hides itself. Unknown: not looked up since, or not told.",
    ),
    term(
        "standing",
        "Provisional and final",
        "A verdict is final when two look-ups at least 24 hours apart agree and none in between differs; until then it is provisional.",
    ),
    term(
        "when",
        "When",
        "A gain lies between the beginning of the earlier reading and the end of the later one, or closer where cursors, ids or the order of the list tell more. Each member is spread evenly over that interval; a bin is the sum of such parts, and so need not be a whole number.",
    ),
    term(
        "came",
        "When members came",
        "A list has its newest follow first, nobody follows before opening an account, and cursors tell follow times. From that each member has a lower and an upper bound; the estimate spreads follows evenly between members who were new when they followed (Meeder et al., WWW 2011). By the end of a year at least those had followed whose upper bound lies before it, and at most those whose lower bound does.",
    ),
    term(
        "age",
        "Age of accounts",
        "Ids of X contain the time at which the account was opened (since 2016), or lie between ids whose time is public (before). A member whose bounds lie in two years counts in the year halfway between them. Shares are of the members whose ids tell.",
    ),
    term(
        "mutual",
        "Mutual",
        "The account and the member follow each other: the member is in both lists. Only followers: they follow, and are not followed. Only following: the reverse.",
    ),
    term(
        "follow-back",
        "Follow-back rate",
        "Mutual ÷ all whom the account follows. Followed back: mutual ÷ all followers. Not told where a list was not read to its end.",
    ),
    term(
        "doing",
        "Whose doing",
        "A pair becomes mutual by whoever follows second, and breaks by whoever leaves first. They: the member; it: the watched account. Both gone: both follows ended, as when a member is hidden or has blocked the account. Returned: the member had been hidden.",
    ),
    term(
        "shared",
        "Shared",
        "Members of both lists. A lower bound (≥) if one was not read to its end.",
    ),
    term(
        "share-of-row",
        "Share of a list",
        "Shared ÷ members of the one list: how much of it is in the other, too.",
    ),
    term(
        "jaccard",
        "Jaccard index",
        "Shared ÷ members of either list, after P. Jaccard (1901). 0 %: nobody in common; 100 %: the same members.",
    ),
    term(
        "lift",
        "Lift",
        "Shared ÷ the number expected by chance, which is a · b ÷ N for lists of a and b members in a universe of N. The universe is all members seen in any of the lists, a lower bound of the real one, and so is the lift.",
    ),
    term(
        "p",
        "p",
        "The probability that lists of these sizes, drawn blindly from the universe, share at least as many members: the upper tail of the hypergeometric distribution, one-sided and exact. Adjusted: by S. Holm’s step-down procedure (1979) over all pairs, which bounds the probability of even one false alarm whatever the tests depend on. A larger universe makes p smaller.",
    ),
    term(
        "reach",
        "Reach",
        "Different members of several lists together. Accounts are taken one after another, each the one that adds most (greedy maximum coverage); the first k reach at least 1 − 1/e, 63.2 %, of what the best choice of k would (G. Nemhauser, L. Wolsey, M. Fisher, 1978).",
    ),
    term(
        "cell",
        "Exclusive combination",
        "Members of exactly these lists, and of none of the others. All combinations add up to the reach of all lists.",
    ),
    term(
        "flow",
        "Flow",
        "Members that one account lost and another gained between the runs; those who only returned are left out. Of the lost: flow ÷ all that the one lost; of the gained: flow ÷ all that the other gained.",
    ),
    term(
        "tie",
        "Tie",
        "Two watched accounts of which at least one follows the other, as any of their lists shows. Mutual: each follows the other.",
    ),
];
