//! Every question on every engine. This page lists the tests; `harness` has the notation.

mod diff;
mod harness;
mod mutual;
mod overlap;

/// Runs each test on each engine, under the engine's name: `stream::diff::one_leaves`.
macro_rules! on_every_engine {
    ($($question:ident { $($test:ident)* })*) => {
        mod memory {
            $(mod $question { $(#[test] fn $test() {
                crate::$question::$test(&crate::harness::On::memory());
            })* })*
        }
        mod stream {
            $(mod $question { $(#[test] fn $test() {
                crate::$question::$test(&crate::harness::On::stream());
            })* })*
        }
    };
}

on_every_engine! {
    diff {
        one_leaves_and_one_comes
        equal_lists_change_nothing
        empty_lists_are_lists
        refollow_between_snapshots_is_silent
        order_in_the_list_does_not_matter
        repeated_ids_count_once
        the_account_itself_is_a_member_like_any
        ids_beyond_floats_stay_apart_up_to_the_last
        a_cut_list_loses_nobody_if_it_tells_no_times
        a_cut_list_loses_those_it_would_have_shown
        a_crawl_of_the_head_is_judged_like_a_cut_one
        a_page_that_ends_at_the_very_moment_proves_nothing
        a_page_without_a_time_ends_what_can_be_judged
        missing_pages_end_what_can_be_judged
        positions_without_order_prove_nothing
        below_an_earlier_cut_nobody_is_new
        two_cuts_are_judged_each_by_the_other
        a_list_that_could_not_be_read_proves_nothing
        a_list_that_became_readable_has_no_gains
        parts_come_in_order_and_add_up
        long_lists_equal_the_sets
        lists_of_two_accounts_cannot_be_compared
    }
    mutual {
        follows_are_sorted_by_direction
        whoever_is_in_both_lists_is_mutual_whatever_was_covered
        an_incomplete_list_does_not_deny
        a_protected_list_does_not_deny
        empty_lists_have_no_rate
        the_account_may_follow_itself
        the_lists_must_be_the_two_of_one_account
        long_lists_equal_the_sets
    }
    overlap {
        a_pair_by_hand
        three_sets_by_hand
        one_list_has_one_cell
        no_lists_have_no_cells
        empty_sets_have_no_ratios
        a_cut_list_gives_lower_bounds
        the_same_list_twice_is_contained_in_itself
        the_last_id_is_counted
        twenty_lists_have_cells_and_one_more_has_not
        long_lists_equal_the_sets
    }
}
