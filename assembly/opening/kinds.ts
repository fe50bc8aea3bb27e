import { SESSION_FLAG_CONNTRACK, SESSION_FLAG_INACTIVE, VS_TCP_NONE } from "../abi/session";
import { SETTING_VS_CONNTRACK } from "../abi/setting";
import { TCP_FLAG_SYN } from "../abi/wire";
import { Image } from "../image";
import { isSecure, isTcpActive } from "../ipvs/follow";
import { tcpNext } from "../ipvs/tcp-states";
import { tcpTimeout, udpTimeout } from "../ipvs/timeouts";
import { WAY_IN } from "../ipvs/way";
import { State } from "../state";
import { COUNTER_ACTIVE, COUNTER_INACTIVE } from "../table/ipvs/layout";
import { timerList } from "../table/ipvs/wheel";
import {
  KIND_COUNTER,
  KIND_EXPIRES,
  KIND_FLAGS,
  KIND_LEN,
  KIND_LIST,
  KIND_PROGRESS,
  KIND_TIMEOUT,
  KINDS,
} from "./layout";

function set(image: Image, ipvs: State, kind: usize, progress: u32, isActive: bool, timeout: u64): void {
  const tracked = image.setting(SETTING_VS_CONNTRACK) != 0 ? SESSION_FLAG_CONNTRACK : 0;
  store<u32>(kind, progress, KIND_PROGRESS);
  store<u32>(kind, isActive ? tracked : tracked | SESSION_FLAG_INACTIVE, KIND_FLAGS);
  store<u64>(kind, timeout, KIND_TIMEOUT);
  store<u64>(kind, ipvs.now + timeout, KIND_EXPIRES);
  store<u32>(kind, timerList(ipvs, timeout), KIND_LIST);
  store<u32>(kind, isActive ? COUNTER_ACTIVE : COUNTER_INACTIVE, KIND_COUNTER);
}

/** Writes what a masqueraded connection has behind its first packet, of TCP a SYN, at the time that it is now. */
export function setKinds(image: Image, ipvs: State, plan: usize): void {
  const state = tcpNext(WAY_IN, TCP_FLAG_SYN, VS_TCP_NONE, isSecure(image));
  set(image, ipvs, plan + KINDS, state, isTcpActive(state), tcpTimeout(image, state));
  set(image, ipvs, plan + KINDS + KIND_LEN, 0, false, udpTimeout(image));
}
