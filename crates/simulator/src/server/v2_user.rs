//! v2 user and tweet objects, with the fields a request asks for.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::errors;
use super::reply::Reply;
use crate::profile::{Post, Profile};
use crate::user::{Ix, User};
use crate::world::{List, World};

/// Parameters that choose fields.
pub(super) const PARAMETERS: [&str; 3] = ["user.fields", "expansions", "tweet.fields"];

const USER_FIELDS: [&str; 14] = [
    "created_at",
    "description",
    "entities",
    "id",
    "location",
    "name",
    "pinned_tweet_id",
    "profile_image_url",
    "protected",
    "public_metrics",
    "url",
    "username",
    "verified",
    "withheld",
];

const EXPANSIONS: [&str; 1] = ["pinned_tweet_id"];

/// Accepted; those that a pinned tweet of an invented account lacks are left out.
const TWEET_FIELDS: [&str; 20] = [
    "attachments",
    "author_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "entities",
    "geo",
    "id",
    "in_reply_to_user_id",
    "lang",
    "non_public_metrics",
    "organic_metrics",
    "possibly_sensitive",
    "promoted_metrics",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "source",
    "text",
    "withheld",
];

/// Fields that have come since, which current clients ask for. Invented accounts have none
/// of them, so they are accepted and left out.
const NEWER_USER_FIELDS: [&str; 4] =
    ["most_recent_tweet_id", "profile_banner_url", "subscription_type", "verified_type"];
const NEWER_TWEET_FIELDS: [&str; 3] = ["edit_controls", "edit_history_tweet_ids", "note_tweet"];

/// What a request wants to see of users and their pinned tweets.
#[derive(Debug)]
pub(super) struct Fields {
    user: Vec<String>,
    tweet: Vec<String>,
    pinned: Pinned,
}

/// Whether pinned tweets are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pinned {
    Included,
    LeftOut,
}

impl Fields {
    pub(super) fn of(call: &Call) -> Result<Self, Reply> {
        let expansions = chosen(call, "expansions", &EXPANSIONS, &[])?;
        Ok(Self {
            user: chosen(call, "user.fields", &USER_FIELDS, &NEWER_USER_FIELDS)?,
            tweet: chosen(call, "tweet.fields", &TWEET_FIELDS, &NEWER_TWEET_FIELDS)?,
            pinned: if expansions.is_empty() { Pinned::LeftOut } else { Pinned::Included },
        })
    }
}

/// The values of a parameter, each of which must be a known one.
fn chosen(
    call: &Call,
    parameter: &str,
    known: &[&str],
    newer: &[&str],
) -> Result<Vec<String>, Reply> {
    let values = call.list(parameter);
    match values.iter().find(|value| !known.contains(value) && !newer.contains(value)) {
        None => Ok(values.into_iter().map(str::to_owned).collect()),
        Some(value) => {
            let message = format!(
                "The `{parameter}` query parameter value [{value}] is not one of [{}]",
                known.join(",")
            );
            Err(errors::v2_invalid(parameter, call.get(parameter).unwrap_or_default(), &message))
        }
    }
}

pub(super) fn user_object(world: &World, ix: Ix, fields: &Fields) -> Value {
    let user = world.user_at(ix);
    let mut object = Map::new();
    object.insert("id".to_owned(), user.id.to_string().into());
    object.insert("name".to_owned(), user.name.clone().into());
    object.insert("username".to_owned(), user.username.clone().into());
    if fields.user.is_empty() && fields.pinned == Pinned::LeftOut {
        return object.into();
    }
    let profile = Profile::of(user);
    for field in &fields.user {
        if let Some(value) = user_field(world, ix, &profile, field) {
            object.insert(field.clone(), value);
        }
    }
    if let (Pinned::Included, Some(post)) = (fields.pinned, &profile.pinned) {
        object.insert("pinned_tweet_id".to_owned(), post.id.to_string().into());
    }
    object.into()
}

/// The value of a field; none when the profile has nothing there.
fn user_field(world: &World, ix: Ix, profile: &Profile, field: &str) -> Option<Value> {
    let user = world.user_at(ix);
    Some(match field {
        "created_at" => user.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string().into(),
        "description" => profile.description().into(),
        "entities" => entities(profile)?,
        "location" => profile.location?.into(),
        "pinned_tweet_id" => profile.pinned.as_ref()?.id.to_string().into(),
        "profile_image_url" => {
            format!("https://pics.example/profile_images/{}/normal.png", user.id).into()
        }
        "protected" => user.protected.into(),
        "public_metrics" => json!({
            "followers_count": world.visible_count(ix, List::Followers),
            "following_count": world.visible_count(ix, List::Following),
            "tweet_count": profile.posts,
            "listed_count": profile.listed,
        }),
        "url" => profile.link.as_ref().map_or("", |(short, _)| short.as_str()).into(),
        "verified" => profile.verified.into(),
        "withheld" if profile.withheld => json!({"country_codes": ["XX"], "scope": "user"}),
        // The three defaults are there already.
        _ => return None,
    })
}

/// Links and hashtags with their places in the text, in characters.
fn entities(profile: &Profile) -> Option<Value> {
    let mut entities = Map::new();
    if let Some((short, expanded)) = &profile.link {
        let display = expanded.trim_start_matches("https://").trim_end_matches('/');
        let url = json!({
            "start": 0,
            "end": short.chars().count(),
            "url": short,
            "expanded_url": expanded,
            "display_url": display,
        });
        entities.insert("url".to_owned(), json!({"urls": [url]}));
    }
    if let Some(tag) = profile.tag {
        let end = profile.description().chars().count();
        let start = end - tag.chars().count() - 1;
        let hashtag = json!({"start": start, "end": end, "tag": tag});
        entities.insert("description".to_owned(), json!({"hashtags": [hashtag]}));
    }
    (!entities.is_empty()).then(|| entities.into())
}

/// The id of the post a user has pinned.
pub(super) fn pinned_id(world: &World, ix: Ix) -> Option<String> {
    Profile::of(world.user_at(ix)).pinned.map(|post| post.id.to_string())
}

/// The tweet a user has pinned, when the request includes such tweets.
pub(super) fn pinned_tweet(world: &World, ix: Ix, fields: &Fields) -> Option<Value> {
    if fields.pinned == Pinned::LeftOut {
        return None;
    }
    let user = world.user_at(ix);
    let post = Profile::of(user).pinned?;
    let mut object = Map::new();
    object.insert("id".to_owned(), post.id.to_string().into());
    object.insert("text".to_owned(), post.text.clone().into());
    for field in &fields.tweet {
        if let Some(value) = tweet_field(user, &post, field) {
            object.insert(field.clone(), value);
        }
    }
    Some(object.into())
}

fn tweet_field(author: &User, post: &Post, field: &str) -> Option<Value> {
    Some(match field {
        "author_id" => author.id.to_string().into(),
        "conversation_id" => post.id.to_string().into(),
        "created_at" => post.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string().into(),
        "lang" => "en".into(),
        "possibly_sensitive" => false.into(),
        "public_metrics" => {
            json!({"retweet_count": 0, "reply_count": 0, "like_count": 1, "quote_count": 0})
        }
        "reply_settings" => "everyone".into(),
        "source" => "Simulator".into(),
        _ => return None,
    })
}
