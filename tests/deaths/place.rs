//! Where an instruction is, for people: `addr2line -e <file> <offset>` tells the rest.

/// The file that is mapped at `address`, and the offset from where the file's mappings begin.
pub(crate) fn describe(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mappings: Vec<_> = maps.lines().filter_map(Mapping::parse).collect();
    let here = mappings.iter().find(|mapping| mapping.covers(address));
    let base = here.and_then(|here| mappings.iter().find(|first| first.file == here.file));
    base.map_or(format!("{address:#x}"), |base| {
        let name = base.file.rsplit('/').next().unwrap_or_default();
        format!("{name}+{:#x}", address - base.start)
    })
}

struct Mapping<'line> {
    start: usize,
    end: usize,
    file: &'line str,
}

impl<'line> Mapping<'line> {
    /// From `start-end rwxp offset device inode file`.
    fn parse(line: &'line str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        Some(Self {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            file: fields.nth(4)?,
        })
    }

    fn covers(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }
}
