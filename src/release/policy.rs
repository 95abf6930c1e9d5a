//! Which release may be proposed, by the user's update policy. Order is numeric, never by date.
