//! Shared data of the host: one key-value store and its queues for all VMs of a proxy.

/// Shared data and shared queues, as Proxy-Wasm offers them.
pub trait SharedData {
    /// Value of a key and the number of its version, which is never 0.
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets a value; `false` if its version is not the expected one. The host checks the version only
    /// if there is a value already.
    fn set(&self, key: &str, value: &[u8], expected: Option<u32>) -> bool;

    /// Registers this VM for notifications of a queue. A queue notifies only the VM that registered last.
    fn listen(&self, queue: &str);

    /// Notifies the VM that is registered for a queue.
    fn notify(&self, queue: &str);
}
