import { STATISTICS_ROW_LEN } from "../../abi/session";
import { Image } from "../../image";
import { State } from "../../state";
import { Destination, destinationAt } from "../ring/destinations";
import {
  COUNTER_ACTIVE,
  COUNTER_FLAG_OVERLOADED,
  COUNTER_INACTIVE,
  COUNTER_LEN,
  COUNTER_LOWER,
  COUNTER_PERSISTENT,
  COUNTER_SERIAL,
  COUNTER_STATISTICS,
  COUNTER_UPPER,
  Ipvs,
  SERVICE_LEN,
  SERVICE_REMOVALS,
} from "./layout";

/** Connections of destinations, which schedulers ask, and what of them is overloaded (struct ip_vs_dest). */

/** A destination's row, COUNTER_. */
export function counterAt(ipvs: State, number: u32): usize {
  return ipvs.to(Ipvs.of(ipvs).countersAt) + number * COUNTER_LEN;
}

/** A field of the row, 0 where that is about another destination. */
function fieldOf(image: Image, ipvs: State, number: u32, field: u32): u32 {
  const row = counterAt(ipvs, number);
  if (load<u32>(row, COUNTER_SERIAL) != destinationAt(image, number).serial) return 0;
  return load<u32>(row + field);
}

export function activeOf(image: Image, ipvs: State, number: u32): u32 {
  return fieldOf(image, ipvs, number, COUNTER_ACTIVE);
}

export function inactiveOf(image: Image, ipvs: State, number: u32): u32 {
  return fieldOf(image, ipvs, number, COUNTER_INACTIVE);
}

/** What the lc family weighs (ip_vs_dest_conn_overhead). */
export function overheadOf(image: Image, ipvs: State, number: u32): u32 {
  return (activeOf(image, ipvs, number) << 8) + inactiveOf(image, ipvs, number);
}

function totalOf(row: usize): u32 {
  return load<u32>(row, COUNTER_ACTIVE) + load<u32>(row, COUNTER_INACTIVE);
}

function setOverloaded(row: usize, isOverloaded: bool): void {
  const templates = load<u32>(row, COUNTER_PERSISTENT) & ~COUNTER_FLAG_OVERLOADED;
  store<u32>(row, isOverloaded ? templates | COUNTER_FLAG_OVERLOADED : templates, COUNTER_PERSISTENT);
}

/** It is not overloaded: sessions that end change its counters and nothing else. */
export function isRelaxed(row: usize): bool {
  return (load<u32>(row, COUNTER_PERSISTENT) & COUNTER_FLAG_OVERLOADED) == 0;
}

/** What a new session makes of it: only that overloads a destination. */
function overload(row: usize): void {
  const upper = load<u32>(row, COUNTER_UPPER);
  if (upper != 0 && totalOf(row) >= upper) setOverloaded(row, true);
}

/** And what one that ends does: below the lower threshold, or three quarters of the upper one, it is overloaded no more. */
function relieve(row: usize): void {
  const lower = load<u32>(row, COUNTER_LOWER);
  const upper = load<u32>(row, COUNTER_UPPER);
  const isLess = lower != 0 ? totalOf(row) < lower : upper == 0 || totalOf(row) * 4 < upper * 3;
  if (isLess) setOverloaded(row, false);
}

/** Takes the thresholds of now: a higher one, or none, ends an overload (__ip_vs_update_dest). */
function takeThresholds(row: usize, destination: Destination): void {
  const upper = destination.upper;
  if (upper == 0 || upper > load<u32>(row, COUNTER_UPPER)) setOverloaded(row, false);
  store<u32>(row, upper, COUNTER_UPPER);
  store<u32>(row, destination.lower, COUNTER_LOWER);
}

/** A destination's row as the image has it: cleared if it was of another one, and with the thresholds of now. */
export function settledRow(image: Image, ipvs: State, number: u32): usize {
  const row = counterAt(ipvs, number);
  const destination = destinationAt(image, number);
  if (load<u32>(row, COUNTER_SERIAL) != destination.serial) {
    memory.fill(row, 0, COUNTER_LEN);
    store<u32>(row, destination.serial, COUNTER_SERIAL);
  }
  takeThresholds(row, destination);
  return row;
}

/** A virtual server's row, SERVICE_; its statistics first. */
export function serviceAt(ipvs: State, number: u32): usize {
  return ipvs.to(Ipvs.of(ipvs).servicesAt) + number * SERVICE_LEN;
}

/** A destination counts from 0 on, if the row is its own. */
export function clearStatistics(image: Image, ipvs: State, number: u32): void {
  const row = counterAt(ipvs, number);
  if (load<u32>(row, COUNTER_SERIAL) == destinationAt(image, number).serial)
    memory.fill(row + COUNTER_STATISTICS, 0, STATISTICS_ROW_LEN);
}

function hasCounted(row: usize): bool {
  for (let at = row; at != row + STATISTICS_ROW_LEN; at += 8) if (load<u64>(at) != 0) return true;
  return false;
}

/** A virtual server's row is the one's that has the number now; whether one before it had counted anything. */
export function claimService(ipvs: State, number: u32, removals: u32): bool {
  const row = serviceAt(ipvs, number);
  if (load<u32>(row, SERVICE_REMOVALS) == removals) return false;
  const counted = hasCounted(row);
  memory.fill(row, 0, STATISTICS_ROW_LEN);
  store<u32>(row, removals, SERVICE_REMOVALS);
  return counted;
}

/** IP_VS_DEST_F_OVERLOAD. */
export function isOverloaded(image: Image, ipvs: State, number: u32): bool {
  return (load<u32>(settledRow(image, ipvs, number), COUNTER_PERSISTENT) & COUNTER_FLAG_OVERLOADED) != 0;
}

function add(row: usize, field: u32, difference: i32): void {
  store<u32>(row + field, load<u32>(row + field) + difference);
}

/** A session more, not yet active, or a template (ip_vs_bind_dest). */
export function addSession(row: usize, isTemplate: bool): void {
  add(row, isTemplate ? COUNTER_PERSISTENT : COUNTER_INACTIVE, 1);
  overload(row);
}

/** One less (ip_vs_unbind_dest). */
export function removeSession(row: usize, isTemplate: bool, isActive: bool): void {
  add(row, isTemplate ? COUNTER_PERSISTENT : isActive ? COUNTER_ACTIVE : COUNTER_INACTIVE, -1);
  relieve(row);
}

/** One that was there becomes active, or ceases to be. */
export function moveSession(row: usize, isActive: bool): void {
  add(row, COUNTER_ACTIVE, isActive ? 1 : -1);
  add(row, COUNTER_INACTIVE, isActive ? -1 : 1);
}
