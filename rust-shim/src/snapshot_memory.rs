//! How much memory a snapshot holds, which upstream keeps to itself: whoever keeps snapshots wants to know.
//!
//! What upstream does offer is to read any 8 bytes of that memory, as an entry of a page table, and 0 for what
//! lies beyond its end. The guest's page tables are its last part, which upstream writes itself, and their last
//! page has a known entry: that of the last page of the scratch region, which is mapped last. So that entry is
//! looked for, from behind, since a guest could have put the same bytes somewhere in front.

use hyperlight_common::layout::{SCRATCH_TOP_GPA, SCRATCH_TOP_GVA};
use hyperlight_common::vmem::{
    PAGE_SIZE, PAGE_TABLE_ENTRIES_PER_TABLE, PTE_ADDR_MASK, PageTableEntry, TableReadOps,
};

use crate::settings::Settings;

/// More than any guest's program, stack and page tables take.
const BESIDE_HEAP_AND_SCRATCH: u64 = 64 << 20;

/// The size of the snapshot's memory in bytes, or nothing if it is not made as it is by this version of upstream.
pub(crate) fn size<S: TableReadOps<TableAddr = u64>>(
    snapshot: &S,
    settings: &Settings,
) -> Option<u64> {
    let page = PAGE_SIZE as u64;
    let entry_in_page = (SCRATCH_TOP_GVA / PAGE_SIZE % PAGE_TABLE_ENTRIES_PER_TABLE
        * size_of::<PageTableEntry>()) as u64;
    let last_of_scratch = SCRATCH_TOP_GPA as u64 & PTE_ADDR_MASK;
    let most = settings.heap + settings.scratch + BESIDE_HEAP_AND_SCRATCH;
    (1..=most / page)
        .rev()
        .map(|pages| pages * page)
        .find(|size| {
            // SAFETY: upstream's implementation for snapshots checks the bounds.
            let entry = unsafe { snapshot.read_entry(size - page + entry_in_page) };
            entry & PTE_ADDR_MASK == last_of_scratch
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use hyperlight_common::vmem::PhysAddr;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The memory of a snapshot; upstream gives none out without a guest.
    struct Memory(Vec<u64>);

    impl TableReadOps for Memory {
        type TableAddr = u64;
        fn entry_addr(addr: u64, offset: u64) -> u64 {
            addr + offset
        }
        unsafe fn read_entry(&self, addr: u64) -> PageTableEntry {
            self.0.get(addr as usize / 8).copied().unwrap_or(0)
        }
        fn to_phys(addr: u64) -> PhysAddr {
            addr
        }
        fn from_phys(addr: PhysAddr) -> u64 {
            addr
        }
        fn root_table(&self) -> u64 {
            0
        }
    }

    /// So many pages, of which those listed look like the last page table.
    fn memory(pages: usize, tables: &[usize]) -> Memory {
        let mut words = vec![u64::MAX; pages * 512];
        for table in tables {
            words[table * 512 + 510] = (SCRATCH_TOP_GPA as u64 & PTE_ADDR_MASK) | 0x63;
        }
        Memory(words)
    }

    #[test]
    fn the_last_page_table_ends_the_memory() {
        let settings = Settings::default();
        for pages in [1, 2, 1000] {
            let found = size(&memory(pages, &[pages - 1]), &settings);
            assert_eq!(found, Some(pages as u64 * 4096));
        }
    }

    #[test]
    fn what_a_guest_wrote_does_not() {
        let found = size(&memory(10, &[0, 3, 8, 9]), &Settings::default());
        assert_eq!(found, Some(40_960));
    }

    #[test]
    fn memory_without_page_tables_has_no_size() {
        assert_eq!(size(&memory(10, &[]), &Settings::default()), None);
        assert_eq!(size(&memory(0, &[]), &Settings::default()), None);
    }

    #[test]
    fn fuzz_only_the_last_page_table_counts() {
        let marks = vec((0..20_usize, 0..512_usize), 0..6);
        fuzz::holds(
            (0..20_usize, any::<bool>(), marks),
            |(pages, has_tables, marks)| {
                let last = pages.checked_sub(1).filter(|_| has_tables);
                let mut memory = memory(pages, last.as_slice());
                // A guest may have the same bytes anywhere else, but the page tables are not its own.
                for (page, word) in marks
                    .into_iter()
                    .filter(|(page, word)| page + 1 < pages && *word != 510)
                {
                    memory.0[page * 512 + word] = SCRATCH_TOP_GPA as u64 & PTE_ADDR_MASK;
                }
                let expected = last.map(|_| pages as u64 * 4096);
                assert_eq!(size(&memory, &Settings::default()), expected);
            },
        );
    }
}
