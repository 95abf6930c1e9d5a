//! Settings that are written at several levels: the nearest level that has a key decides.

/// A mapping of keys that may all be left out. Its `or` fills what one level leaves open from the level above.
macro_rules! layered {
    ($(#[$of:meta])* struct $name:ident { $($(#[$about:meta])* $key:ident: $kind:ty,)* }) => {
        $(#[$of])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::config) struct $name {
            $(
                $(#[$about])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(in crate::config) $key: Option<$kind>,
            )*
        }

        impl $name {
            /// These settings, and what they leave open as `above` has it.
            pub(in crate::config) fn or(&self, above: &Self) -> Self {
                Self { $($key: self.$key.clone().or_else(|| above.$key.clone()),)* }
            }
        }
    };
}

pub(super) use layered;
