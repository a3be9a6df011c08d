import { createInstance } from "i18next";
import { initReactI18next } from "react-i18next";

import en from "./en.json";
import zh from "./zh.json";

/** Every text of the console. English decides the keys; a key that Chinese lacks does not compile. */
const resources = { en: { translation: en }, zh: { translation: zh satisfies typeof en } };

export const translations = createInstance();

void translations.use(initReactI18next).init({
  resources,
  lng: navigator.language.startsWith("zh") ? "zh" : "en",
  fallbackLng: "en",
  interpolation: { escapeValue: false },
});

const setDocumentLanguage = (language: string) => {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
};
setDocumentLanguage(translations.language);
translations.on("languageChanged", setDocumentLanguage);

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}
