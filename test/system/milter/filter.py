"""A milter for the tests: does what the subject of a letter says, and prints what it is told."""
import sys
import Milter


class Obedient(Milter.Base):
    def connect(self, hostname, family, address):
        print("connect", hostname, family, address, self.getsymval("{client_port}"), flush=True)
        return Milter.CONTINUE

    def hello(self, name):
        print("hello", name, flush=True)
        return Milter.CONTINUE

    def envfrom(self, path, *parameters):
        self.todo = []
        self.octets = 0
        print("mail", path, *parameters, self.getsymval("{mail_host}"), flush=True)
        return Milter.REJECT if "refused@" in path else Milter.CONTINUE

    def envrcpt(self, path, *parameters):
        print("rcpt", path, flush=True)
        if "carol@" in path:
            self.setreply("550", "5.7.1", "Carol reads no such letters")
            return Milter.REJECT
        return Milter.CONTINUE

    def header(self, name, value):
        if name.lower() == "subject":
            self.todo = value.split()
        return Milter.CONTINUE

    def body(self, chunk):
        self.octets += len(chunk)
        return Milter.CONTINUE

    def eom(self):
        print("eom", self.octets, self.getsymval("i"), flush=True)
        self.addheader("X-Octets", str(self.octets))
        if "rewrite" in self.todo:
            self.chgheader("Subject", 0, "rewritten")
            self.replacebody(b"another body\r\n")
        if "junk" in self.todo:
            self.quarantine("told to")
        if "discard" in self.todo:
            return Milter.DISCARD
        if "later" in self.todo:
            return Milter.TEMPFAIL
        return Milter.ACCEPT

    def abort(self):
        print("abort", flush=True)
        return Milter.CONTINUE

    def close(self):
        print("close", flush=True)
        return Milter.CONTINUE


Milter.factory = Obedient
Milter.set_flags(Milter.ADDHDRS + Milter.CHGHDRS + Milter.CHGBODY + Milter.QUARANTINE)
Milter.runmilter("obedient", sys.argv[1], 60)
