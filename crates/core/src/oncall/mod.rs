//! Who is on call: schedules, what changes them, and who it is at any instant.
//!
//! The decision is a pure function of the schedule, its exceptions and the time. [`walk`] finds
//! what holds at one instant and when that may change; everything else, such as the final view,
//! gaps, the next person or a calendar, walks along with it. What is past is read from records.

mod apply;
mod cadence;
mod change;
mod clock;
mod edit;
mod exception;
mod fair;
mod final_view;
mod imported;
mod lane;
mod names;
mod notice;
mod report;
mod roster;
mod schedule;
mod settle;
mod turns;
mod view;
mod walk;
mod windows;

pub use apply::{Asker, MAX_REASON_CHARS};
pub use cadence::{
    Cadence, Length, MAX_ALTERNATING, MAX_EXTRA_DATES, MAX_UNITS, MIN_STEP_MINUTES, Unit,
};
pub use change::{
    CalendarFeed, Changed, FeedOf, ImportNews, ImportOutcome, ImportRow, OnCallChange,
    OnCallRejection, OnCallRows, OnCallWrites,
};
pub use clock::{ClockTime, MINUTES_PER_DAY, Zone};
pub use edit::{
    MAX_IMPORTS, MAX_LAYERS, MAX_MEMBERS, MAX_NAME_CHARS, MAX_OTHER_NAMES, MAX_REFRESH_MINUTES,
    MAX_WINDOWS, MIN_REFRESH_MINUTES,
};
pub use exception::{
    AbsenceKind, BlockShift, FixedBlock, Holiday, HolidayCalendar, Override, ShiftRecord,
    SwapRequest, SwapState, Unavailability,
};
pub use fair::Ledger;
pub use imported::{
    IMPORTED_AHEAD, IMPORTED_BACK, ImportFailure, Imported, ImportedEvent, ImportedShift,
    LAST_GOOD_COPY_KEPT, MAX_IMPORTED_EVENTS,
};
pub use names::Names;
pub use notice::{HandoffNotice, NoticedShift, OpenWork};
pub use report::{Hours, MonthlyHours, Quality, Share};
pub use roster::{Entry, Pick, Present, Roster};
pub use schedule::{
    Combine, Fallback, HolidayMode, ImportKind, ImportLocation, ImportSpec, Layer, LayerName,
    LayerSpec, LayerVersion, Mode, Notices, Rollout, Schedule, ScheduleName, ScheduleSpec,
    ShiftWindow, Slot, Weekdays,
};
pub use settle::{Handover, RECORDS_IN_MEMORY, config_hash, time_zone_database};
pub use turns::MAX_COUNTED_OCCURRENCES;
pub use view::{Cause, Duty, FinalView, Gap, GapReason, OnCall, Segment, Warning, WarningCode};
