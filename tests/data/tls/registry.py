"""A registry with one image behind TLS: registry.py CERTIFICATE KEY. It prints its port."""
import http.server
import ssl
import sys

ANSWERS = {
    "/v2/": "{}",
    "/v2/_catalog": '{"repositories": ["dib/ubuntu-noble-plain-rke2-1-30-11"]}',
    "/v2/dib/ubuntu-noble-plain-rke2-1-30-11/tags/list": '{"tags": ["0.4.11"]}',
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = ANSWERS.get(self.path.split("?")[0])
        self.send_response(404 if body is None else 200)
        body = (body or "{}").encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
# Whoever comes shakes hands in a thread of its own: a failed handshake ends nobody else.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
