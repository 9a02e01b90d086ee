//! The columns of `profiles.parquet`.

use super::{
    ACCOUNT_ID, MEMBER_ID, Record, longs, optional, rows, signed, texts, time, times, truths,
};
use crate::error::Error;
use crate::table::{Table, Typed};
use crate::{AccountId, ListedMember, MemberProfile, Profile};

impl Record for ListedMember {
    const FILE: &'static str = "profiles.parquet";

    fn table(members: &[Self]) -> Table {
        let text =
            |f: fn(&MemberProfile) -> &Option<String>| texts(members, |m| f(&m.member).clone());
        let basic =
            |f: fn(&Profile) -> &Option<String>| texts(members, |m| f(&m.member.profile).clone());
        let truth = |f: fn(&MemberProfile) -> Option<bool>| truths(members, |m| f(&m.member));
        let count =
            |f: fn(&MemberProfile) -> Option<u64>| longs(members, |m| f(&m.member).map(signed));
        Table::default()
            .required(ACCOUNT_ID, longs(members, |m| Some(m.account.get())))
            .required("list", texts(members, |m| Some(m.list.name().to_owned())))
            .required(MEMBER_ID, longs(members, |m| Some(m.member.profile.account.get())))
            .required("observed_at", times(members, |m| Some(m.member.profile.observed_at)))
            .optional("username", basic(|p| &p.username))
            .optional("name", basic(|p| &p.name))
            .optional("created_at", times(members, |m| m.member.profile.created_at))
            .optional("protected", truth(|m| m.profile.protected))
            .optional("verified", truth(|m| m.verified))
            .optional("verified_type", text(|m| &m.verified_type))
            .optional("description", text(|m| &m.description))
            .optional("location", text(|m| &m.location))
            .optional("url", text(|m| &m.url))
            .optional("profile_image_url", text(|m| &m.profile_image_url))
            .optional("pinned_tweet_id", longs(members, |m| m.member.pinned_tweet_id))
            .optional("pinned_tweet", text(|m| &m.pinned_tweet))
            .optional("followers_count", count(|m| m.profile.followers_count))
            .optional("following_count", count(|m| m.profile.following_count))
            .optional("tweet_count", count(|m| m.profile.tweet_count))
            .optional("listed_count", count(|m| m.profile.listed_count))
            .optional("like_count", count(|m| m.like_count))
            .optional("media_count", count(|m| m.media_count))
            .optional("entities", text(|m| &m.entities))
            .optional("withheld", text(|m| &m.withheld))
    }

    fn records(columns: &Typed<'_>) -> Result<Vec<Self>, Error> {
        let text = |name| columns.text(name);
        let long = |name| columns.long(name);
        let (account, list, member) = (long(ACCOUNT_ID)?, text("list")?, long(MEMBER_ID)?);
        let (observed, created) = (columns.time("observed_at")?, columns.time("created_at")?);
        let (username, name) = (text("username")?, text("name")?);
        let (protected, verified) = (columns.truth("protected")?, columns.truth("verified")?);
        let (verified_type, description) = (text("verified_type")?, text("description")?);
        let (location, url) = (text("location")?, text("url")?);
        let image = text("profile_image_url")?;
        let (pinned_id, pinned) = (long("pinned_tweet_id")?, text("pinned_tweet")?);
        let (followers, following) = (long("followers_count")?, long("following_count")?);
        let (tweets, listed) = (long("tweet_count")?, long("listed_count")?);
        let (likes, media) = (long("like_count")?, long("media_count")?);
        let (entities, withheld) = (text("entities")?, text("withheld")?);
        let count = |n| optional(n, |n| u64::try_from(n).ok());
        let row = |i: usize| {
            let profile = Profile {
                account: AccountId::new(member[i]?)?,
                username: username[i].clone(),
                name: name[i].clone(),
                created_at: optional(created[i], time)?,
                protected: protected[i],
                followers_count: count(followers[i])?,
                following_count: count(following[i])?,
                tweet_count: count(tweets[i])?,
                listed_count: count(listed[i])?,
                observed_at: time(observed[i]?)?,
            };
            let member = MemberProfile {
                profile,
                verified: verified[i],
                verified_type: verified_type[i].clone(),
                description: description[i].clone(),
                location: location[i].clone(),
                url: url[i].clone(),
                profile_image_url: image[i].clone(),
                pinned_tweet_id: pinned_id[i],
                pinned_tweet: pinned[i].clone(),
                like_count: count(likes[i])?,
                media_count: count(media[i])?,
                entities: entities[i].clone(),
                withheld: withheld[i].clone(),
            };
            let account = AccountId::new(account[i]?)?;
            Some(Self { account, list: list[i].as_deref()?.parse().ok()?, member })
        };
        rows(columns.path, account.len(), row)
    }
}
