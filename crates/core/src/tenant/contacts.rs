//! Policies and contact methods change.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Tenant, later};
use crate::audit::AuditNote;
use crate::command::{PagingChange, Rejection, Reply};
use crate::escalation::{EscalationPolicy, MAX_POLICIES};
use crate::identity::{Actor, Handle, PersonOrigin, SecretHash};
use crate::paging::{
    Channel, Contacts, Content, MAX_METHODS_PER_PERSON, MAX_RULES_PER_PERSON, Method, MethodId,
    PagingRejection, Pending, Recipient, Rules, Urgency, Verification,
};

/// How long a code shows that an address is somebody's.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// How long it takes until another code, or another test, may be sent to the same address.
const CODE_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// How often a code may be guessed wrongly.
const CODE_GUESSES: u8 = 5;

/// The most characters of an address.
const MAX_ADDRESS_CHARS: usize = 2_000;

impl Tenant {
    pub(super) fn change_paging(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        change: PagingChange,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        match change {
            PagingChange::SetPolicy(policy) => self.set_escalation_policy(*policy),
            PagingChange::DeletePolicy(name) => self.delete_escalation_policy(&name),
            PagingChange::SetMethod { person, id, channel, address } => {
                self.set_method(&person, &id, channel, address)
            }
            PagingChange::RemoveMethod { person, id } => self.remove_method(&person, &id),
            PagingChange::SetRules { person, rules } => self.set_rules(&person, rules),
            PagingChange::BeginVerification { person, id, code } => {
                self.begin_verification(now, &person, &id, code)
            }
            PagingChange::Verify { person, id, code } => self.verify(now, &person, &id, &code),
            PagingChange::TestMethod { person, id } => self.test_method(now, &person, &id),
            PagingChange::Page { policy, people, id, title, service, severity } => {
                let policy =
                    self.policy_for_page(policy.as_deref(), &people, &service, severity)?;
                let about = (title.clone(), service, severity);
                let by = actor.who.name().to_owned();
                let run = self.page_by_hand(now, policy, id, &by, about);
                let Some(run) = run else { return Err(PagingRejection::TooManyRuns.into()) };
                let note = AuditNote::new("escalation.start", format!("escalation/{run}"))
                    .after(json!({ "title": title, "severity": severity }));
                Ok((Reply::Run(run), Some(note)))
            }
        }
    }

    fn set_escalation_policy(
        &mut self,
        policy: EscalationPolicy,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        let name = Arc::clone(&policy.name);
        if self.policy.escalation.policies.iter().any(|it| it.name == name) {
            return Err(Rejection::Provisioned { name: name.to_string() });
        }
        if let Some(problem) = policy.problems().into_iter().next() {
            return Err(PagingRejection::Policy(problem).into());
        }
        let policies = &self.escalations.policies;
        if !policies.contains_key(&name) && policies.len() >= MAX_POLICIES {
            return Err(PagingRejection::TooManyPolicies.into());
        }
        let policy = EscalationPolicy { origin: PersonOrigin::Api, ..policy };
        let note = AuditNote::new("escalation_policy.set", format!("escalation_policy/{name}"))
            .after(json!(policy));
        let before = self.escalations.policies.insert(Arc::clone(&name), Arc::new(policy));
        self.recorder.policies.insert(name);
        let note = match before {
            Some(before) => note.before(json!(*before)),
            None => note,
        };
        Ok((Reply::Done, Some(note)))
    }

    fn delete_escalation_policy(
        &mut self,
        name: &str,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        if self.policy.escalation.policies.iter().any(|it| &*it.name == name) {
            return Err(Rejection::Provisioned { name: name.to_owned() });
        }
        if !self.escalations.policies.contains_key(name) {
            return Err(PagingRejection::UnknownPolicy { name: name.to_owned() }.into());
        }
        let used_by: Vec<String> = self
            .policy
            .receivers
            .iter()
            .filter(|receiver| receiver.escalation_policy.as_deref() == Some(name))
            .map(|receiver| receiver.name.to_string())
            .collect();
        if !used_by.is_empty() {
            let (name, used_by) = (name.to_owned(), used_by.join(", "));
            return Err(PagingRejection::PolicyInUse { name, used_by }.into());
        }
        let Some((name, before)) = self.escalations.policies.remove_entry(name) else {
            return Ok((Reply::Done, None));
        };
        let note = AuditNote::new("escalation_policy.delete", format!("escalation_policy/{name}"))
            .before(json!(*before));
        self.recorder.policies.insert(name);
        Ok((Reply::Done, Some(note)))
    }

    fn known_person(&self, person: &Handle) -> Result<(), Rejection> {
        match self.directory.person(person.as_str()) {
            Some(_) => Ok(()),
            None => Err(PagingRejection::UnknownPerson { person: person.to_string() }.into()),
        }
    }

    fn known_method(&self, person: &Handle, id: &MethodId) -> Result<Method, Rejection> {
        self.known_person(person)?;
        self.contacts_of(person).method(id).cloned().ok_or_else(|| {
            let (person, method) = (person.to_string(), id.to_string());
            PagingRejection::UnknownMethod { person, method }.into()
        })
    }

    fn own_contacts(&mut self, person: &Handle) -> &mut Contacts {
        self.recorder.contacts.insert(person.clone());
        self.paging.contacts.entry(person.clone()).or_default()
    }

    fn set_method(
        &mut self,
        person: &Handle,
        id: &MethodId,
        channel: Channel,
        address: String,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        self.known_person(person)?;
        let length = address.chars().count();
        if length == 0 || length > MAX_ADDRESS_CHARS || address.chars().any(char::is_control) {
            return Err(PagingRejection::Address { channel }.into());
        }
        check_address(channel, &address)?;
        let known = self.contacts_of(person);
        let old = known.method(id);
        if old.is_some_and(|method| method.is_provisioned)
            && self.policy.escalation.contacts.contains_key(person)
        {
            return Err(Rejection::Provisioned { name: format!("{person}/{id}") });
        }
        if old.is_none() && known.methods.len() >= MAX_METHODS_PER_PERSON {
            return Err(PagingRejection::TooManyMethods.into());
        }
        let same = old.filter(|old| old.channel == channel && old.address == address);
        let verification = match same {
            Some(old) => old.verification.clone(),
            None if channel.needs_verification() => Verification::Unverified,
            None => Verification::Verified { at: self.latest },
        };
        let is_stopped = same.is_some_and(|old| old.is_stopped);
        let method = Method {
            id: id.clone(),
            channel,
            address,
            verification,
            is_provisioned: false,
            is_stopped,
        };
        let own = self.own_contacts(person);
        own.methods.retain(|method| method.id != *id);
        own.methods.push(method);
        let note = AuditNote::new("contact.set", format!("person/{person}"))
            .after(json!({ "method": id, "channel": channel }));
        Ok((Reply::Done, Some(note)))
    }

    fn remove_method(
        &mut self,
        person: &Handle,
        id: &MethodId,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        let known = self.known_method(person, id)?;
        if known.is_provisioned {
            return Err(Rejection::Provisioned { name: format!("{person}/{id}") });
        }
        self.own_contacts(person).methods.retain(|method| method.id != *id);
        let note = AuditNote::new("contact.remove", format!("person/{person}"))
            .before(json!({ "method": id, "channel": known.channel }));
        Ok((Reply::Done, Some(note)))
    }

    fn set_rules(
        &mut self,
        person: &Handle,
        rules: Rules,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        self.known_person(person)?;
        if rules.high.len() > MAX_RULES_PER_PERSON || rules.low.len() > MAX_RULES_PER_PERSON {
            return Err(PagingRejection::TooManyRules.into());
        }
        for rule in rules.high.iter().chain(&rules.low) {
            self.known_method(person, &rule.method)?;
        }
        let note = AuditNote::new("contact.rules", format!("person/{person}")).after(json!(rules));
        let own = self.own_contacts(person);
        let before = json!(own.rules);
        own.rules = rules;
        Ok((Reply::Done, Some(note.before(before))))
    }

    fn begin_verification(
        &mut self,
        now: Timestamp,
        person: &Handle,
        id: &MethodId,
        code: String,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        let method = self.known_method(person, id)?;
        if matches!(method.verification, Verification::Verified { .. }) {
            return Ok((Reply::Done, None));
        }
        if let Verification::Pending(pending) = &method.verification
            && later(pending.sent_at, CODE_PAUSE) > now
        {
            return Err(PagingRejection::TooSoon.into());
        }
        let pending = Pending {
            code_hash: hash_of(person, id, &code),
            sent_at: now,
            expires_at: later(now, CODE_LIFE),
            guesses_left: CODE_GUESSES,
        };
        let own = self.own_contacts(person);
        if let Some(own) = own.methods.iter_mut().find(|it| it.id == *id) {
            own.verification = Verification::Pending(pending);
        }
        let recipient = Recipient::Person { person: person.clone(), method: id.clone() };
        let to = (method.channel, method.address);
        self.send_page(now, recipient, to, Urgency::High, Content::Verification { code }, None);
        Ok((Reply::Done, None))
    }

    fn verify(
        &mut self,
        now: Timestamp,
        person: &Handle,
        id: &MethodId,
        code: &str,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        self.known_method(person, id)?;
        let hash = hash_of(person, id, code.trim());
        let own = self.own_contacts(person);
        let Some(method) = own.methods.iter_mut().find(|it| it.id == *id) else {
            return Ok((Reply::Done, None));
        };
        let Verification::Pending(pending) = &mut method.verification else {
            return Err(PagingRejection::WrongCode.into());
        };
        let is_over = pending.expires_at <= now || pending.guesses_left == 0;
        if is_over || !pending.code_hash.is(&hash) {
            pending.guesses_left = pending.guesses_left.saturating_sub(1);
            return Err(PagingRejection::WrongCode.into());
        }
        method.verification = Verification::Verified { at: now };
        let channel = method.channel;
        let note = AuditNote::new("contact.verify", format!("person/{person}"))
            .after(json!({ "method": id, "channel": channel }));
        Ok((Reply::Done, Some(note)))
    }

    fn test_method(
        &mut self,
        now: Timestamp,
        person: &Handle,
        id: &MethodId,
    ) -> Result<(Reply, Option<AuditNote>), Rejection> {
        let method = self.known_method(person, id)?;
        if !method.is_usable() {
            return Err(PagingRejection::Unusable { method: id.to_string() }.into());
        }
        let recipient = Recipient::Person { person: person.clone(), method: id.clone() };
        let windows = self.policy.escalation.windows_of(method.channel);
        let queue = self.paging.queues.entry(recipient.clone()).or_default();
        if queue.throttle.next_at(&windows, now, false) > now {
            return Err(PagingRejection::TooSoon.into());
        }
        queue.throttle.used(&windows, now);
        self.recorder.throttles.insert(recipient.clone());
        let to = (method.channel, method.address);
        self.send_page(now, recipient, to, Urgency::High, Content::Test, None);
        let note = AuditNote::new("contact.test", format!("person/{person}"))
            .after(json!({ "method": id }));
        Ok((Reply::Done, Some(note)))
    }

    /// Returns the policy by which somebody pages by hand: the named one, one made of the people
    /// that are named, or the one that serves the service.
    fn policy_for_page(
        &self,
        name: Option<&str>,
        people: &[Handle],
        service: &str,
        severity: crate::severity::Severity,
    ) -> Result<Arc<EscalationPolicy>, Rejection> {
        for person in people {
            self.known_person(person)?;
        }
        if !people.is_empty() {
            return Ok(Arc::new(EscalationPolicy::of_people(people)));
        }
        let found = match name {
            Some(name) => self.escalation_policy(name).map(Arc::clone),
            None => {
                let all = self.escalation_policies();
                crate::escalation::select(all, service, severity, "").map(|it| Arc::clone(it.0))
            }
        };
        found.ok_or_else(|| {
            let name = name.unwrap_or("default").to_owned();
            PagingRejection::UnknownPolicy { name }.into()
        })
    }

    /// Ends, or begins again, messages to an address; returns whether anything changed.
    pub(super) fn set_stopped(
        &mut self,
        now: Timestamp,
        person: &Handle,
        channel: Channel,
        address: &str,
        is_stopped: bool,
    ) -> bool {
        let is_phone = |it: Channel| matches!(it, Channel::Sms | Channel::Voice);
        let is_meant = |method: &Method| {
            method.address.eq_ignore_ascii_case(address)
                && (method.channel == channel || is_phone(method.channel) && is_phone(channel))
        };
        let all = self.contacts_of(person).methods;
        let meant: Vec<Method> = all.into_iter().filter(is_meant).collect();
        let has_changed = meant.iter().any(|method| method.is_stopped != is_stopped);
        if !has_changed {
            return false;
        }
        let own = self.own_contacts(person);
        for method in meant {
            own.methods.retain(|it| it.id != method.id);
            own.methods.push(Method { is_stopped, ..method });
        }
        let event =
            crate::event::Event::ContactStopped { person: person.clone(), channel, is_stopped };
        self.record(now, event);
        true
    }
}

/// Returns the hash of a code, bound to whom and what it is for.
fn hash_of(person: &Handle, id: &MethodId, code: &str) -> SecretHash {
    SecretHash::of(format!("{person}/{id}/{code}").as_bytes())
}

/// Checks the form of an address, as far as that can be told from here.
fn check_address(channel: Channel, address: &str) -> Result<(), Rejection> {
    let is_number = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        (6..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit())
    };
    let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let is_fit = match channel {
        Channel::Sms | Channel::Voice => is_number(address),
        Channel::Email => address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !address.contains(char::is_whitespace)
        }),
        Channel::Msteams | Channel::Discord | Channel::Webhook => is_url(address),
        Channel::WebPush => address.starts_with('{'),
        _ => true,
    };
    if is_fit { Ok(()) } else { Err(PagingRejection::Address { channel }.into()) }
}
