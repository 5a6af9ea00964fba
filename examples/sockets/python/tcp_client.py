"""The lecture's TCP client in Python: python3 tcp_client.py [HOST] [PORT]"""
import sys
from socket import AF_INET, SOCK_STREAM, socket

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000

client = socket(AF_INET, SOCK_STREAM)
client.connect((host, port))
sentence = input("Input lowercase sentence:")
client.send(sentence.encode("utf-8"))
answer = client.recv(1024)
print("From Server:", answer.decode("utf-8"))
client.close()
