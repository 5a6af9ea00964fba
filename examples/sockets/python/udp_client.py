"""The lecture's UDP client in Python: python3 udp_client.py [HOST] [PORT]"""
import sys
from socket import AF_INET, SOCK_DGRAM, socket

host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000

client = socket(AF_INET, SOCK_DGRAM)
sentence = input("Input lowercase sentence:")
client.sendto(sentence.encode("utf-8"), (host, port))
answer, server = client.recvfrom(2048)
print(answer.decode("utf-8"))
client.close()
