//! Where log records wait for their reader: a queue that is bounded in number and in bytes. Writers
//! run guests, so they never wait for the reader. When the queue is full, what comes is lost and
//! counted, so that the beginning of a flood is kept, and the gap has its exact place.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes wait at most, whatever the number of records: a bound on memory.
const MAX_BYTES: usize = 16 << 20;

/// A queue of values with a size each.
pub(crate) struct Ring<T> {
    contents: Mutex<Contents<T>>,
    arrived: Condvar,
}

struct Contents<T> {
    waiting: VecDeque<Entry<T>>,
    bytes: usize,
    capacity: usize,
    lost: u64,
    open: bool,
    readers: usize, // that sleep
}

struct Entry<T> {
    value: T,
    bytes: usize,
    lost_before: u64,
}

/// What a reader gets, in order.
#[derive(Debug, PartialEq)]
pub(crate) enum Taken<T> {
    Value(T),
    /// So many values came here, and found no room.
    Lost(u64),
}

impl<T> Ring<T> {
    /// A closed ring.
    pub(crate) const fn new() -> Self {
        Self {
            contents: Mutex::new(Contents {
                waiting: VecDeque::new(),
                bytes: 0,
                capacity: 0,
                lost: 0,
                open: false,
                readers: 0,
            }),
            arrived: Condvar::new(),
        }
    }

    /// Takes values from now on. What is left from before is dropped.
    pub(crate) fn open(&self, capacity: usize) {
        let mut contents = self.lock();
        *contents = Contents {
            waiting: VecDeque::new(),
            bytes: 0,
            capacity,
            lost: 0,
            open: true,
            readers: contents.readers,
        };
    }

    /// Takes no more values; readers get what is left.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.arrived.notify_all();
    }

    pub(crate) fn push(&self, value: T, bytes: usize) {
        let mut contents = self.lock();
        if !contents.open {
            return;
        }
        if contents.waiting.len() >= contents.capacity || contents.bytes + bytes > MAX_BYTES {
            contents.lost += 1;
            return; // A reader that sleeps would have emptied the ring.
        }
        let lost_before = std::mem::take(&mut contents.lost);
        contents.bytes += bytes;
        contents.waiting.push_back(Entry {
            value,
            bytes,
            lost_before,
        });
        if contents.readers > 0 {
            drop(contents); // so that the reader finds the lock free
            self.arrived.notify_one();
        }
    }

    /// Takes at most `max` values, but waits until there is one. Empty means that the time is over,
    /// `None` that the ring is closed and empty.
    pub(crate) fn take(&self, max: usize, timeout: Duration) -> Option<Vec<Taken<T>>> {
        let deadline = Instant::now().checked_add(timeout); // None: longer than time lasts
        let mut contents = self.lock();
        while contents.waiting.is_empty() && contents.lost == 0 {
            if !contents.open {
                return None;
            }
            let left = match deadline.map(|d| d.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Some(Vec::new()),
                Some(left) => left,
                None => Duration::MAX,
            };
            contents.readers += 1;
            contents = self.sleep(contents, left);
            contents.readers -= 1;
        }
        let mut taken = Vec::new();
        let number = contents.waiting.len().min(max);
        for entry in contents.waiting.drain(..number).collect::<Vec<_>>() {
            contents.bytes -= entry.bytes;
            if entry.lost_before > 0 {
                taken.push(Taken::Lost(entry.lost_before));
            }
            taken.push(Taken::Value(entry.value));
        }
        if contents.waiting.is_empty() && contents.lost > 0 {
            taken.push(Taken::Lost(std::mem::take(&mut contents.lost)));
        }
        Some(taken)
    }

    fn sleep<'a>(
        &self,
        contents: MutexGuard<'a, Contents<T>>,
        time: Duration,
    ) -> MutexGuard<'a, Contents<T>> {
        let (contents, _) = self
            .arrived
            .wait_timeout(contents, time)
            .unwrap_or_else(PoisonError::into_inner);
        contents
    }

    fn lock(&self) -> MutexGuard<'_, Contents<T>> {
        // Nothing in here panics halfway through a change.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Taken::{Lost, Value};
    use super::*;
    use crate::fuzz;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const NO_TIME: Duration = Duration::ZERO;
    const FOR_EVER: Duration = Duration::MAX;

    fn open(capacity: usize) -> Ring<u32> {
        let ring = Ring::new();
        ring.open(capacity);
        ring
    }

    #[test]
    fn values_come_in_order() {
        let ring = open(10);
        for i in 0..5 {
            ring.push(i, 1);
        }
        assert_eq!(
            ring.take(3, NO_TIME),
            Some(vec![Value(0), Value(1), Value(2)])
        );
        ring.push(5, 1);
        assert_eq!(
            ring.take(9, NO_TIME),
            Some(vec![Value(3), Value(4), Value(5)])
        );
        assert_eq!(ring.take(9, NO_TIME), Some(vec![]));
    }

    #[test]
    fn a_full_ring_keeps_the_oldest_and_marks_the_gap() {
        let ring = open(2);
        for i in 0..5 {
            ring.push(i, 1);
        }
        assert_eq!(ring.take(1, NO_TIME), Some(vec![Value(0)]));
        ring.push(5, 1);
        ring.push(6, 1);
        let expected = vec![Value(1), Lost(3), Value(5), Lost(1)];
        assert_eq!(ring.take(9, NO_TIME), Some(expected));
        assert_eq!(ring.take(9, NO_TIME), Some(vec![]), "told once");
    }

    #[test]
    fn bytes_are_bounded_too() {
        let ring = open(100);
        ring.push(1, MAX_BYTES - 1);
        ring.push(2, 2);
        ring.push(3, 1);
        ring.push(4, 1);
        let expected = vec![Value(1), Lost(1), Value(3), Lost(1)];
        assert_eq!(ring.take(9, NO_TIME), Some(expected));
        ring.push(5, MAX_BYTES);
        assert_eq!(
            ring.take(9, NO_TIME),
            Some(vec![Value(5)]),
            "room is given back"
        );
    }

    #[test]
    fn a_closed_ring_gives_what_is_left_and_takes_nothing() {
        let ring = open(2);
        for i in 0..3 {
            ring.push(i, 1);
        }
        ring.close();
        ring.push(3, 1);
        assert_eq!(ring.take(1, FOR_EVER), Some(vec![Value(0)]));
        assert_eq!(ring.take(1, FOR_EVER), Some(vec![Value(1), Lost(1)]));
        assert_eq!(ring.take(1, FOR_EVER), None);
        assert_eq!(ring.take(1, NO_TIME), None);
    }

    #[test]
    fn a_new_ring_is_closed_and_opening_forgets() {
        let ring = Ring::new();
        ring.push(1, 1);
        assert_eq!(ring.take(1, FOR_EVER), None);
        ring.open(1);
        ring.push(2, 1);
        ring.push(3, 1);
        ring.open(1);
        assert_eq!(ring.take(1, NO_TIME), Some(vec![]));
    }

    #[test]
    fn a_reader_wakes_up_for_a_value_and_for_the_end() {
        let ring = open(2);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (ring.take(9, FOR_EVER), ring.take(9, FOR_EVER)));
            std::thread::sleep(Duration::from_millis(20));
            ring.push(7, 1);
            std::thread::sleep(Duration::from_millis(20));
            ring.close();
            assert_eq!(reader.join().unwrap(), (Some(vec![Value(7)]), None));
        });
    }

    #[test]
    fn a_reader_waits_as_long_as_it_said() {
        let ring = open(2);
        let start = Instant::now();
        assert_eq!(ring.take(9, Duration::from_millis(30)), Some(vec![]));
        assert!(start.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn many_writers_lose_nothing_uncounted_and_keep_their_order() {
        const WRITERS: u32 = 8;
        const EACH: u32 = 20_000;
        let ring = open(100);
        let mut last = [None; WRITERS as usize];
        let (mut received, mut lost) = (0, 0);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let ring = &ring;
                    scope.spawn(move || {
                        for i in 0..EACH {
                            ring.push(writer * EACH + i, 1);
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                for writer in writers {
                    writer.join().unwrap();
                }
                ring.close();
            });
            while let Some(taken) = ring.take(17, FOR_EVER) {
                for entry in taken {
                    match entry {
                        Lost(number) => lost += number,
                        Value(value) => {
                            let before = &mut last[(value / EACH) as usize];
                            assert!(before.is_none_or(|before| before < value));
                            *before = Some(value);
                            received += 1;
                        }
                    }
                }
            }
        });
        assert_eq!(received + lost, u64::from(WRITERS * EACH));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Open(usize),
        Close,
        Push(usize),
        Take(usize),
    }

    // The same as a list in which what is lost is written down, too.
    #[test]
    fn fuzz_a_ring_is_a_list_with_gaps() {
        let bytes = prop_oneof![
            0..10_usize,
            MAX_BYTES / 3..MAX_BYTES / 2,
            Just(usize::MAX >> 1)
        ];
        let step = prop_oneof![
            1 => (1..5_usize).prop_map(Step::Open),
            1 => Just(Step::Close),
            12 => bytes.prop_map(Step::Push),
            4 => (1..4_usize).prop_map(Step::Take),
        ];
        fuzz::holds(vec(step, 0..60), |steps| {
            let ring = Ring::new();
            let (mut list, mut capacity, mut open) =
                (Vec::<(Taken<usize>, usize)>::new(), 0, false);
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Open(room) => {
                        ring.open(room);
                        (list, capacity, open) = (Vec::new(), room, true);
                    }
                    Step::Close => {
                        ring.close();
                        open = false;
                    }
                    Step::Push(bytes) => {
                        ring.push(number, bytes);
                        let values = list.iter().filter(|(taken, _)| matches!(taken, Value(_)));
                        let used: usize = values.clone().map(|(_, bytes)| bytes).sum();
                        let full = values.count() >= capacity || used + bytes > MAX_BYTES;
                        match list.last_mut() {
                            _ if !open => {}
                            Some((Lost(count), _)) if full => *count += 1,
                            _ if full => list.push((Lost(1), 0)),
                            _ => list.push((Value(number), bytes)),
                        }
                    }
                    Step::Take(max) => {
                        // As many values, what was lost before each, and what was lost last.
                        let is_value =
                            |(taken, _): &(Taken<usize>, usize)| matches!(taken, Value(_));
                        let last = list
                            .iter()
                            .enumerate()
                            .filter(|(_, entry)| is_value(entry))
                            .nth(max - 1);
                        let mut end = last.map_or(list.len(), |(index, _)| index + 1);
                        if !list[end..].iter().any(is_value) {
                            end = list.len();
                        }
                        let closed = !open && list.is_empty();
                        let taken: Vec<_> = list.drain(..end).map(|(taken, _)| taken).collect();
                        assert_eq!(ring.take(max, NO_TIME), (!closed).then_some(taken));
                    }
                }
            }
        });
    }
}
