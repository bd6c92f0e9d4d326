//! What must hold whatever the bytes are: no panic, a ledger that adds up, and the same conversations with little memory.

use zhijian::input::{self, Export, Format, InputOptions};

/// Reads `bytes` as a file called `name`, in the shape given or the one that is told.
pub fn read(name: &str, format: Option<Format>, bytes: &[u8]) {
    let options = InputOptions { format, ..InputOptions::default() };
    let content = |budget| {
        let mut export = Export::with_budget(budget);
        // An error is an answer, too.
        let _ = input::read_bytes(name, bytes, &options, &mut export);
        assert!(export.ledger.adds_up(), "{:?}", export.ledger);
        let (ledger, mut batches) = export.into_batches().expect("the temporary folder is writable");
        let mut conversations = Vec::new();
        while let Some(batch) = batches.next_batch().expect("the temporary files are readable") {
            conversations.extend((0..batch.len()).map(|at| format!("{:?}", batch.get(at))));
        }
        (ledger, conversations)
    };
    assert_eq!(content(usize::MAX), content(64));
}
