//! Pods of a real API server on this machine. These tests need root.

mod interop;
