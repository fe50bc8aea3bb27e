/** One packet on its way, as the machine's assembly/packet.ts describes it. Words are signed. */
export class Packet {
  frame = 0;
  length = 0;
  ip = 0;
  transport = 0;
  src = 0;
  dst = 0;
  /** src << 16 | dst */
  ports = 0;
  protocol = 0;
  frameSrc = 0;
  frameDst = 0;
  framePorts = 0;
  tcpFlags = 0;
  in = 0;
  mark = 0;
  ctstate = 0;
  flow = 0;
  flowFlags = 0;
  masquerade = 0;
  hop = 0;
  walked = 0;
  verdict = 0;
  reason = 0;

  /** Decides; false, since the stages stop here. */
  decide(verdict: number, reason: number): false {
    this.verdict = verdict;
    this.reason = reason;
    return false;
  }
}
