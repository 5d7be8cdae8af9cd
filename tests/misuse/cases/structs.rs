//! What `shareable!` does not take.

procsync::shareable! {
    struct Good { a: u32 }
    pub struct Generic<T> { a: T }
}

procsync::shareable! { struct Borrowing<'a> { a: &'a u32 } }

procsync::shareable! { struct Sized<const N: usize> { a: [u8; N] } }

procsync::shareable! {
    #[derive(Debug)]
    struct Tuple(u32);
}

procsync::shareable! { struct Unit; }

procsync::shareable! { struct Untyped { a, b } }

procsync::shareable! { enum Colour { Red } }

procsync::shareable! { union Either { a: u32, b: f32 } }

procsync::shareable! {
    struct Fine { a: u32 }
    impl Fine {}
}

fn main() {}
