"""The lecture's TCP server in Python: python3 tcp_server.py [HOST] [PORT]"""
import sys
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

host = sys.argv[1] if len(sys.argv) > 1 else ""
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000

welcoming = socket(AF_INET, SOCK_STREAM)
welcoming.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
welcoming.bind((host, port))
welcoming.listen(1)
print("The server is ready to receive on port", welcoming.getsockname()[1], flush=True)
while True:
    connection, client = welcoming.accept()
    sentence = connection.recv(1024).decode("utf-8")
    connection.send(sentence.upper().encode("utf-8"))
    connection.close()
