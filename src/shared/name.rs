//! What a name means: a POSIX shared-memory name, or the path of a file.

use crate::ShareError;

const SHARED_MEMORY: &str = "/dev/shm";
const LONGEST: usize = 255;

/// A directory and the name of a file in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) directory: &'a str,
    pub(crate) file: &'a str,
}

impl<'a> Name<'a> {
    /// `"/x"` is the POSIX shared-memory name; with another slash in it, it is a file path.
    pub(crate) fn parse(name: &'a str) -> Result<Self, ShareError> {
        let (directory, file) = name.rsplit_once('/').ok_or(ShareError::InvalidName)?;
        if names_no_file(file) || name.contains('\0') || has_long_component(name) {
            return Err(ShareError::InvalidName);
        }
        let directory = if directory.is_empty() {
            SHARED_MEMORY
        } else {
            directory
        };
        Ok(Self { directory, file })
    }
}

fn names_no_file(last: &str) -> bool {
    matches!(last, "" | "." | "..")
}

fn has_long_component(name: &str) -> bool {
    name.split('/').any(|component| component.len() > LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_the_table_says() {
        for (name, directory, file) in [
            ("/x", "/dev/shm", "x"),
            ("/.x", "/dev/shm", ".x"),
            ("/...", "/dev/shm", "..."),
            ("/a b", "/dev/shm", "a b"),
            ("/dev/shm/x", "/dev/shm", "x"),
            ("/run/app/state", "/run/app", "state"),
            ("./x", ".", "x"),
            ("../x", "..", "x"),
            ("a/b", "a", "b"),
            ("a//b", "a/", "b"),
            ("//x", "/", "x"),
        ] {
            assert_eq!(
                Name::parse(name).unwrap(),
                Name { directory, file },
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_component_may_have_255_bytes() {
        let longest = format!("/{}", "x".repeat(255));
        assert_eq!(Name::parse(&longest).unwrap().file.len(), 255);
        for name in [
            format!("{longest}x"),
            format!("/tmp{longest}x"),
            format!("{longest}x/a"),
        ] {
            assert!(
                matches!(Name::parse(&name), Err(ShareError::InvalidName)),
                "{name:?}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for name in [
            "", "x", "/", "//", "/.", "/..", ".", "..", "./", "a/", "/a/b/", "a/.", "a/..", "/a\0",
        ] {
            assert!(
                matches!(Name::parse(name), Err(ShareError::InvalidName)),
                "{name:?}"
            );
        }
    }
}
