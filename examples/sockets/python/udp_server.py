"""The lecture's UDP server in Python: python3 udp_server.py [HOST] [PORT]"""
import sys
from socket import AF_INET, SOCK_DGRAM, socket

host = sys.argv[1] if len(sys.argv) > 1 else ""
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000

server = socket(AF_INET, SOCK_DGRAM)
server.bind((host, port))
print("The server is ready to receive on port", server.getsockname()[1], flush=True)
while True:
    datagram, client = server.recvfrom(2048)
    server.sendto(datagram.decode("utf-8").upper().encode("utf-8"), client)
