"""A real gRPC server and a real gRPC client, for the tests to drive.

serve         serves until its input ends; first it prints its port
call ADDR M   calls method M of the server behind ADDR and prints what came of it, as JSON

The server answers any method of the service `demo.Echo` with the metadata that it was sent.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        if not call.method.startswith("/demo.Echo/"):
            return None
        return grpc.unary_unary_rpc_method_handler(self.answer)

    @staticmethod
    def answer(_request, context):
        seen = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        return json.dumps(seen).encode()


def serve():
    server = grpc.server(ThreadPoolExecutor(4), handlers=[Echo()])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None)


def call(address, method):
    # Straight to the address, whatever proxy the environment names.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
        began = time.monotonic()
        try:
            answer = channel.unary_unary(f"/demo.Echo/{method}")(b"", timeout=10)
            outcome = {"code": "OK", "message": "", "seen": json.loads(answer)}
        except grpc.RpcError as error:
            marks = {key: value for key, value in error.initial_metadata() or () if isinstance(value, str)}
            marks.update(error.trailing_metadata() or ())
            outcome = {"code": error.code().name, "message": error.details(), "marks": marks}
        outcome["ms"] = (time.monotonic() - began) * 1000
    print(json.dumps(outcome))


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
