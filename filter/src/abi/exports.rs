//! Functions that the host calls. `scripts/wasm` keeps those that are in `exports.json`.
#![expect(unsafe_code, reason = "an export needs an attribute that is unsafe")]

use super::{hostcalls, stream::Action, vm};

/// Version of the ABI: the host looks for the name.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {}

/// Memory for bytes that the host passes.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    hostcalls::allocate(size)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context_id: u32, root_id: u32) {
    vm::with(|vm| vm.on_context_create(context_id, root_id));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root_id: u32, size: usize) -> bool {
    vm::with(|vm| vm.on_configure(root_id, size));
    // Always true: `false` would reject the listener, and with a static configuration end Envoy.
    true
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root_id: u32) {
    vm::with(|vm| vm.on_tick(root_id));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_queue_ready(root_id: u32, queue: u32) {
    vm::with(|vm| vm.on_queue_ready(root_id, queue));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context_id: u32, _headers: usize, _end_of_stream: u32) -> Action {
    vm::with(|vm| vm.on_request_headers(context_id))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root_id: u32,
    token: u32,
    headers: usize,
    body: usize,
    _trailers: usize,
) {
    vm::with(|vm| vm.on_http_call_response(root_id, token, headers, body));
}
