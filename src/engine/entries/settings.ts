import * as setting from "../../../assembly/abi/setting.js";
import type { IpvsTimeouts } from "../../ruleset/ipvs.js";
import { checkSysctls } from "../../ruleset/sysctl-names.js";
import {
  CONNTRACK_SETTINGS,
  conntrackSetting,
  ipfragSetting,
  routesAnywhere,
  routesLocalnet,
  type Sysctls,
  VS_SETTINGS,
  vsSetting,
} from "../../ruleset/sysctls.js";

export interface SettingEntry {
  /** SETTING_ code. */
  readonly code: number;
  readonly value: number;
}

const CODES: Readonly<Record<string, number>> = setting;

/** A setting by what its code is named after; none where the machine does not know it. */
function entryOf(name: string, value: number): readonly SettingEntry[] {
  const code = CODES[`SETTING_${name.toUpperCase()}`];
  return code === undefined ? [] : [{ code, value }];
}

/** In seconds (IPVS' tcp_timeouts and udp_timeouts of a kernel that was left alone). */
const TIMEOUTS = { tcp: 900, tcpFin: 120, udp: 300 } as const;

/** What `ipvsadm --set` sets; what is absent has the kernel's default. */
export function timeoutEntries(timeouts: IpvsTimeouts): readonly SettingEntry[] {
  const { tcp, tcpFin, udp } = { ...TIMEOUTS, ...timeouts };
  return [
    { code: setting.SETTING_VS_TIMEOUT_TCP, value: tcp },
    { code: setting.SETTING_VS_TIMEOUT_TCP_FIN, value: tcpFin },
    { code: setting.SETTING_VS_TIMEOUT_UDP, value: udp },
  ];
}

/**
 * The settings that the machine knows, each with its code, which is named after the sysctl; `timeouts` are IPVS' own.
 * TypeError for a value out of range, and for a name that none has, where others of its family are known.
 */
export function settingEntries(sysctls: Sysctls, timeouts: IpvsTimeouts = {}): readonly SettingEntry[] {
  checkSysctls(sysctls);
  return [
    ...CONNTRACK_SETTINGS.flatMap((name) => entryOf(name, conntrackSetting(sysctls, name))),
    ...VS_SETTINGS.flatMap((name) => entryOf(`vs_${name}`, vsSetting(sysctls, name))),
    ...timeoutEntries(timeouts),
    { code: setting.SETTING_ROUTE_LOCALNET, value: Number(routesLocalnet(sysctls)) },
    { code: setting.SETTING_ROUTE_ANYWHERE, value: Number(routesAnywhere(sysctls)) },
    { code: setting.SETTING_IPFRAG_TIME, value: ipfragSetting(sysctls, "time") },
    { code: setting.SETTING_IPFRAG_MAX_DIST, value: ipfragSetting(sysctls, "max_dist") },
  ];
}
