//! Why `shareable!` does not take what it was given.

/// What [`shareable!`](crate::shareable) expands to where its input is not all structs that it takes: says
/// what is wrong with the first one that is not.
#[doc(hidden)]
#[macro_export]
macro_rules! __shareable_refused {
    // A struct as it should be: it is not this one.
    (
        $(#[$attribute:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_attribute:meta])* $field_vis:vis $field:ident : $type:ty ),* $(,)?
        }
        $($rest:tt)*
    ) => { $crate::__shareable_refused! { $($rest)* } };
    ($(#[$attribute:meta])* $vis:vis struct $name:ident < $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($name), "` is generic: `shareable!` takes structs of one layout only; \
             write one for each type that is shared, without parameters and lifetimes"
        ));
    };
    ($(#[$attribute:meta])* $vis:vis struct $name:ident { $($fields:tt)* } $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "the fields of `", ::core::stringify!($name), "` are not as in a struct: `name: Type, …`"
        ));
    };
    ($(#[$attribute:meta])* $vis:vis struct $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($name), "` has no named fields: `shareable!` takes structs with \
             braces, `struct ", ::core::stringify!($name), " { name: Type, … }`, which may have none"
        ));
    };
    ($(#[$attribute:meta])* $vis:vis enum $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($name), "` is an enum: another process may write what is none of its \
             variants; share an integer, and make the enum from it where it is read"
        ));
    };
    ($($rest:tt)*) => {
        ::core::compile_error!(
            "`shareable!` takes structs with named fields, `struct Name { name: Type, … }`, and nothing \
             else; what goes with them stands outside of it"
        );
    };
}
