//! The processes that are killed.

use std::error::Error;
use std::fmt;
use std::io::stdin;
use std::os::fd::AsFd;
use std::os::unix::process::parent_id;

use procsync::Shared;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::office::Office;
use crate::{guard, porter, seller};

/// What the process at a desk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Seller,
    Porter,
    Guard,
}

impl Role {
    /// First the sellers, then a porter and two guards.
    pub(crate) fn of(desk: usize, sellers: usize) -> Self {
        match desk {
            _ if desk < sellers => Self::Seller,
            _ if desk == sellers => Self::Porter,
            _ => Self::Guard,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seller => "seller",
            Self::Porter => "porter",
            Self::Guard => "guard",
        })
    }
}

/// Works at that desk of the office that is the standard input.
pub(crate) fn work(desk: usize, sellers: usize, seed: u64) -> Result<(), Box<dyn Error>> {
    // Nobody outlives the supervisor, however that one ends.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let office = Shared::<Office>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    if parent_id() != office.supervisor {
        return Ok(());
    }
    match Role::of(desk, sellers) {
        Role::Seller => seller::work(&office, desk, seed)?,
        Role::Porter => porter::work(&office, &office.desks[desk])?,
        Role::Guard => guard::work(&office, &office.desks[desk])?,
    }
    Ok(())
}
