//! What every store must do, run against each of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arbitrary;
mod backup;
mod history;
mod identity;
mod incident;
mod lesson;
mod model;
mod oncall;
mod paging;
mod retention;
mod sqlite;
mod state;
mod viewers;

use tocsin_store::Store;

/// A store to test, empty at first.
trait Fixture: Sized {
    /// The store under test.
    type Store: Store;

    /// Makes an empty store.
    async fn make() -> Self;

    /// Returns the store.
    fn store(&self) -> &Self::Store;

    /// Drops the store without closing it and opens it again.
    async fn reopen(self) -> Self;
}

/// Makes a test of each story, on fresh stores of one kind.
macro_rules! contract {
    ($fixture:ty: $($module:ident :: $story:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $story() {
                let fixture = <$fixture as $crate::Fixture>::make().await;
                $crate::$module::$story(fixture).await;
            }
        )+
    };
}

/// Makes a test of every story there is; a new kind of store needs one line.
macro_rules! whole_contract {
    ($fixture:ty) => {
        $crate::contract! {
            $fixture:
            state::a_tenant_that_never_wrote_is_empty,
            state::what_was_written_is_what_is_loaded,
            state::every_turn_survives_a_crash,
            state::a_failing_turn_leaves_nothing,
            state::highest_numbers_outlive_their_rows,
            state::tenants_do_not_see_each_other,
            state::a_probe_changes_nothing,
            state::turns_and_readers_at_the_same_time_see_whole_turns,
            state::a_closed_store_refuses,
            incident::incidents_come_back_with_what_belongs_to_them,
            incident::two_open_incidents_with_one_key_are_refused,
            incident::lists_have_what_was_asked_for_the_newest_first,
            incident::lists_are_narrowed_by_what_incidents_may_have_several_of,
            incident::reminders_come_back_as_often_as_they_were_said,
            incident::a_timeline_is_only_added_to,
            incident::whoever_is_named_finds_where,
            lesson::postmortems_come_back_with_every_version,
            lesson::action_items_are_listed_the_most_urgent_first,
            lesson::what_is_written_is_found_and_only_where_it_may_be_seen,
            lesson::whatever_somebody_types_is_no_error,
            lesson::incidents_that_share_something_rare_are_named,
            viewers::those_whom_a_restricted_incident_names_find_what_belongs_to_it,
            viewers::a_runbook_is_found_by_whoever_sees_any_of_its_incidents,
            viewers::what_may_not_be_seen_takes_no_place_among_similar_incidents,
            viewers::what_is_blacked_out_is_quoted_and_found_no_more,
            identity::who_may_do_what_comes_back_and_can_be_replaced_and_removed,
            identity::the_audit_log_is_read_in_pages_and_followed_to_its_end,
            identity::a_second_row_in_one_place_of_the_audit_log_is_refused,
            identity::a_name_of_a_tenant_gets_one_number,
            identity::the_same_names_live_in_every_tenant,
            oncall::who_is_on_call_comes_back_and_can_be_replaced_and_removed,
            oncall::shifts_are_found_by_their_time_and_the_old_ones_stay_out_of_memory,
            history::every_kind_of_event_comes_back,
            history::queries_agree_with_a_plain_search,
            history::pages_show_every_event_once,
            history::a_page_is_bounded,
            history::followers_get_what_came_after,
            history::lives_come_newest_first_open_or_closed,
            retention::old_events_go_and_young_ones_stay,
            retention::only_lives_that_ended_long_ago_go,
            retention::a_long_history_is_purged_to_the_end,
            retention::purging_keeps_what_is_open,
            retention::purging_one_tenant_leaves_the_others,
        }
    };
}

use {contract, whole_contract};
