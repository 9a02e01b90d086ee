//! A member's profile, for those who ask for more than ids.

use serde::{Deserialize, Serialize};

use crate::{AccountId, List, Profile};

/// All that the network says of a member of a list.
///
/// Everything but the id and the time may be unknown. What has a shape of its own, and
/// changes it now and then, is kept as the network's own JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberProfile {
    /// What profiles of watched accounts have, too.
    #[serde(flatten)]
    pub profile: Profile,
    /// Whether the network calls it verified.
    pub verified: Option<bool>,
    /// Which sort of verification: `blue`, `business`, `government`, `none`.
    pub verified_type: Option<String>,
    /// The account's text about itself.
    pub description: Option<String>,
    /// Where it says to be; any text at all.
    pub location: Option<String>,
    /// The address of its site, as the network shortens it.
    pub url: Option<String>,
    /// The address of its picture.
    pub profile_image_url: Option<String>,
    /// The post it has pinned.
    pub pinned_tweet_id: Option<i64>,
    /// That post, as JSON, if it was asked for.
    pub pinned_tweet: Option<String>,
    /// The network's own counter of likes given.
    pub like_count: Option<u64>,
    /// The network's own counter of posts with media.
    pub media_count: Option<u64>,
    /// Links, mentions and tags in the texts, as JSON.
    pub entities: Option<String>,
    /// Where the account is withheld, as JSON.
    pub withheld: Option<String>,
}

/// A member's profile, and the list it was met in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMember {
    /// Whose list.
    pub account: AccountId,
    /// Which list.
    pub list: List,
    /// The member; its id is that of the profile.
    pub member: MemberProfile,
}

impl MemberProfile {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let texts = [
            &self.profile.username,
            &self.profile.name,
            &self.verified_type,
            &self.description,
            &self.location,
            &self.url,
            &self.profile_image_url,
            &self.pinned_tweet,
            &self.entities,
            &self.withheld,
        ];
        size_of::<Self>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl From<Profile> for MemberProfile {
    /// A profile of which nothing more is known.
    fn from(profile: Profile) -> Self {
        Self {
            profile,
            verified: None,
            verified_type: None,
            description: None,
            location: None,
            url: None,
            profile_image_url: None,
            pinned_tweet_id: None,
            pinned_tweet: None,
            like_count: None,
            media_count: None,
            entities: None,
            withheld: None,
        }
    }
}
