//! Functions of the host: two of `wasi_snapshot_preview1`, which every Proxy-Wasm host has, and those of the ABI.
//! A pointer goes with the length of what it points to. Each returns a status, which is 0 if it has done its work.
//! `hostcalls` calls them.
#![expect(unsafe_code, reason = "functions of the host are foreign")]

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    pub(super) fn random_get(buffer: *mut u8, length: usize) -> i32;
    pub(super) fn clock_time_get(clock: i32, precision: u64, nanoseconds: *mut u64) -> i32;
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub(super) fn proxy_log(level: i32, message: *const u8, size: usize) -> i32;
    pub(super) fn proxy_get_current_time_nanoseconds(nanoseconds: *mut u64) -> i32;
    pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> i32;
    pub(super) fn proxy_set_effective_context(context_id: u32) -> i32;
    pub(super) fn proxy_continue_stream(stream: i32) -> i32;
    pub(super) fn proxy_get_buffer_bytes(
        buffer: i32,
        start: usize,
        max_size: usize,
        bytes: *mut *mut u8,
        size: *mut usize,
    ) -> i32;
    pub(super) fn proxy_get_header_map_pairs(map: i32, pairs: *mut *mut u8, size: *mut usize) -> i32;
    pub(super) fn proxy_get_header_map_value(
        map: i32,
        name: *const u8,
        name_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
    ) -> i32;
    pub(super) fn proxy_replace_header_map_value(
        map: i32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> i32;
    pub(super) fn proxy_remove_header_map_value(map: i32, name: *const u8, name_size: usize) -> i32;
    pub(super) fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
    ) -> i32;
    pub(super) fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> i32;
    pub(super) fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        result: *mut *mut u8,
        result_size: *mut usize,
    ) -> i32;
    pub(super) fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> i32;
    pub(super) fn proxy_http_call(
        upstream: *const u8,
        upstream_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_ms: u32,
        token: *mut u32,
    ) -> i32;
    pub(super) fn proxy_define_metric(kind: i32, name: *const u8, name_size: usize, id: *mut u32) -> i32;
    pub(super) fn proxy_increment_metric(id: u32, change: i64) -> i32;
    pub(super) fn proxy_record_metric(id: u32, value: u64) -> i32;
    pub(super) fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
        version: *mut u32,
    ) -> i32;
    pub(super) fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> i32;
    pub(super) fn proxy_register_shared_queue(name: *const u8, name_size: usize, id: *mut u32) -> i32;
    pub(super) fn proxy_resolve_shared_queue(
        vm_id: *const u8,
        vm_id_size: usize,
        name: *const u8,
        name_size: usize,
        id: *mut u32,
    ) -> i32;
    pub(super) fn proxy_enqueue_shared_queue(id: u32, entry: *const u8, entry_size: usize) -> i32;
    pub(super) fn proxy_dequeue_shared_queue(id: u32, entry: *mut *mut u8, entry_size: *mut usize) -> i32;
}
