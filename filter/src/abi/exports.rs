//! Functions that the host calls. `scripts/wasm` renames `hfi_on_…` to `proxy_on_…`, in place of the
//! SDK's functions of that name.
#![expect(unsafe_code, reason = "an export needs an attribute that is unsafe")]

use proxy_wasm::types::Action;

use super::vm;

#[unsafe(no_mangle)]
extern "C" fn _initialize() {}

#[unsafe(export_name = "hfi_on_context_create")]
extern "C" fn on_context_create(context_id: u32, root_id: u32) {
    vm::with(|vm| vm.on_context_create(context_id, root_id));
}

#[unsafe(export_name = "hfi_on_configure")]
extern "C" fn on_configure(root_id: u32, size: usize) -> bool {
    vm::with(|vm| vm.on_configure(root_id, size));
    // Always true: `false` would reject the listener, and with a static configuration end Envoy.
    true
}

#[unsafe(export_name = "hfi_on_tick")]
extern "C" fn on_tick(root_id: u32) {
    vm::with(|vm| vm.on_tick(root_id));
}

#[unsafe(export_name = "hfi_on_queue_ready")]
extern "C" fn on_queue_ready(root_id: u32, queue: u32) {
    vm::with(|vm| vm.on_queue_ready(root_id, queue));
}

#[unsafe(export_name = "hfi_on_request_headers")]
extern "C" fn on_request_headers(context_id: u32, _headers: usize, _end_of_stream: u32) -> Action {
    vm::with(|vm| vm.on_request_headers(context_id))
}

#[unsafe(export_name = "hfi_on_http_call_response")]
extern "C" fn on_http_call_response(root_id: u32, token: u32, headers: usize, body: usize, _trailers: usize) {
    vm::with(|vm| vm.on_http_call_response(root_id, token, headers, body));
}
